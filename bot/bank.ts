/** What the assistant may say of the bank itself. The demo bank is fictional. */

export interface Bank {
  readonly name: { readonly zh: string; readonly en: string };
  readonly hotline: string;
  /** When people answer, as a customer is told. */
  readonly hours: { readonly zh: string; readonly en: string };
}

export const BANK: Bank = {
  name: { zh: '映湖银行', en: 'Yinghu Bank' },
  hotline: '400-000-0000',
  hours: { zh: '每天 8:30 至 20:00', en: '8:30 to 20:00 every day' },
};
