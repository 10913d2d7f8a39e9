/** Everything the assistant says, in Chinese. `en.ts` has the type of this file, so a missing translation does not compile. */

/** One article as a choice of a list. */
export interface Choice {
  readonly number: number;
  readonly title: string;
}

export const zh = {
  /** The AI notice: its version goes into the consent ledger with the fact that the customer was told. */
  aiNotice: { version: 'ai-notice-1' },
  greeting: {
    full: '您好，欢迎光临网上大堂！我是智能助手，由程序自动回复，不是真人。\n\n存款、转账、银行卡、贷款这些事，直接打字问我就行。想找工作人员，随时说“转人工”。',
    /** Before the answer to a customer who began with a question. */
    short: '您好！我是智能助手，由程序自动回复，不是真人。想找工作人员，随时说“转人工”。',
    again: '您好！有什么可以帮您？',
  },

  chips: {
    person: '转人工',
    cancelPerson: '取消转人工',
    helped: '有帮助',
    notHelped: '没解决',
    none: '都不是',
    yes: '是的',
    otherLanguage: 'English',
  },

  answer: {
    didItHelp: '这个回答帮到您了吗？',
    riskLine: '风险提示：理财、基金、保险、黄金等产品不是存款，可能亏损本金；以上是一般介绍，不构成推荐。',
    scamHint: '防骗提醒：我们不会向您要密码和验证码，也不会请您共享手机屏幕、把钱转到“安全账户”。',
    solvedAndRelated: '太好了，能帮到您我很高兴。下面这些，您可能也用得上：',
    rateMissing: '这项利率或价格，我现在查不到今天有效的数字，不能随便报给您。要我帮您登记，请工作人员来回答吗？',
  },

  offer: {
    one: (title: string) => `您想问的是“${title}”吗？\n\n不是的话，换个说法直接问我就行。`,
    several: (choices: readonly Choice[]) =>
      `您想问的是下面哪一个？点一下，或者回复数字。\n\n${choices.map((choice) => `${choice.number}. ${choice.title}`).join('\n')}\n\n都不是的话，换个说法直接问我就行。`,
    outOfRange: (last: number) => `这里只有 1 到 ${last} 可以选。`,
  },

  miss: {
    first:
      '对不起，这个问题我没找到合适的答案。\n\n换个说法再问一次也许就行，说得具体一点，比如“借记卡年费多少”。下面是大家常问的：',
    second: '对不起，还是没找到合适的答案，让您费心了。要我帮您登记，请工作人员来回答吗？您也可以接着问我。',
    expired: '对不起，这个问题的答案银行正在更新，旧的内容我不能拿来回答您。要我帮您登记，请工作人员来回答吗？',
    waiting: (number: string) =>
      `对不起，这个问题我没找到合适的答案。它已经记在对话里，工作人员处理您的请求（${number}）时能看到。`,
  },

  negative: {
    first: '对不起，刚才没有答到点子上。您能换个说法，再说说想办什么事吗？',
    firstWithOthers: '对不起，刚才没有答到点子上。您想问的会不会是下面这些？也可以换个说法再问我。',
    second: '对不起，又没帮上忙。要我帮您登记，请工作人员来回答吗？您也可以换个说法接着问我。',
    sorryThen: '对不起，刚才理解错了。',
    sorryThenPerson: '对不起，又理解错了。不想再试的话，说“转人工”，我帮您登记。',
    waiting: (number: string) => `对不起，没帮上忙。您的人工请求（${number}）还在排队，工作人员能看到我们的全部对话。`,
  },

  handoff: {
    offer: '要我帮您登记，请工作人员来回答吗？',
    /** `{{handoff}}` is filled with the number by the commit of the turn. */
    recorded: (hours: string, hotline: string) =>
      `好的，已经为您登记人工服务，编号 {{handoff}}。\n\n这里暂时还不能当场接通工作人员。您的请求会在服务时间（${hours}）由工作人员按顺序处理，我们的全部对话他们都能看到，您不用从头再说。\n\n着急的事，比如丢卡、被骗、账户异常，请现在就打客服热线 ${hotline}。\n\n等待的时候，您可以接着问我。不需要了，说“取消转人工”。`,
    recordedAfterMisses: (hours: string, hotline: string) =>
      `对不起，一直没帮上您。我已经为您登记人工服务，编号 {{handoff}}。\n\n这里暂时还不能当场接通工作人员。您的请求会在服务时间（${hours}）由工作人员按顺序处理，我们的全部对话他们都能看到，您不用从头再说。\n\n着急的事，请现在就打客服热线 ${hotline}。您也可以接着问我；不需要了，说“取消转人工”。`,
    already: (since: string, hours: string, hotline: string) =>
      `您的人工请求已经登记了，编号还是 {{handoff}}，${since}登记的，不用重新排队。\n\n工作人员会在服务时间（${hours}）按顺序处理。着急的事，请现在就打客服热线 ${hotline}。`,
    cancelled: (number: string) => `好的，人工请求（${number}）已经取消。之后想找工作人员，再说“转人工”就行。`,
    stillWaiting: (number: string) => `您的人工请求（${number}）还在排队。不需要了，说“取消转人工”。`,
    declined: '好的。有什么问题，接着问我就行。',
    /** How long ago a request was recorded. */
    since: (minutes: number) => {
      if (minutes < 1) return '刚刚';
      if (minutes < 60) return `${minutes} 分钟前`;
      if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} 小时前`;
      return `${Math.floor(minutes / 1440)} 天前`;
    },
  },

  help: '我能回答存款、转账、银行卡、贷款、手机银行等常见问题。\n\n- 直接打字问，一次问一件事最容易说清\n- “转人工”：登记，请工作人员处理\n- “重新开始”：从头再来\n- “English”：换成英文\n- “结束对话”：结束这次聊天\n\n请不要在这里发送密码、验证码或完整卡号。',
  startOver: '好的，我们从头开始。您想办什么事？',
  cancel: { done: '好的，先不说这个了。还有什么可以帮您？', nothing: '现在没有需要取消的事。有什么可以帮您？' },
  languageSet: '好的，接下来我用中文回答您。',
  farewell: {
    plain: '这次聊天就到这里，感谢您的光临，祝您一切顺利！之后有问题，随时再来找我。',
    withRequest: (number: string) =>
      `这次聊天就到这里，您的人工请求（${number}）也一并取消了。之后还需要的话，随时再来找我。感谢您的光临，祝您一切顺利！`,
  },

  courtesy: {
    hello: '您好！有什么可以帮您？',
    thanks: '不客气，这是我应该做的。还有别的问题，随时问我。',
    bye: '再见，祝您一切顺利！',
    who: '我是银行的智能助手，由程序自动回复，不是真人。我会尽量答得准；答不了的，说“转人工”，我帮您登记，请工作人员处理。',
    well: '好的。还有什么可以帮您？',
    number: '现在没有要选的题目，这个数字我没对上。您想办什么事，打几个字告诉我就行。',
    helped: '太好了，能帮到您我很高兴。还有别的问题，随时问我。',
  },

  wordless: {
    emoji: '收到您的心意了。有什么银行的事要办，打几个字告诉我就行。',
    nothing: '这条消息里没有文字。您想办什么事，打几个字告诉我就行。',
    form: '收到您提交的内容了，不过我现在还处理不了表单。请直接打字告诉我您想办什么事。',
    file: '您的文件收到了，已经存进对话记录，工作人员能看到。我自己还看不懂文件里的内容，请打几个字告诉我您想办什么事。',
    fileToo: '您的文件也收到了，已经存进对话记录，工作人员能看到。我自己还看不懂文件里的内容。',
  },

  erased: {
    sorry:
      '提醒您：密码、验证码、卡背面三位数这些，请不要发给任何人，这里也不需要。刚才发来的那部分我们已经删掉，没有保存。如果您担心已经泄露，请尽快修改密码。',
    sayAgain: '您想办什么事？不带这些内容，再说一次就行。',
  },

  /** The bot's memory of the conversation is from another version of the program. */
  lostThread: {
    sorry: '对不起，系统刚刚更新过，前面说到一半的事我没能接上。',
    sayAgain: '请您再说一次想办的事；或者说“转人工”，我帮您登记。',
  },

  /** The turn failed: what the gate says in the bot's place. */
  failure: (hotline: string) =>
    `对不起，我这边出了点问题，没能回答您。您的消息已经记下了。请过一会儿再说一次，或者说“转人工”；着急的事，请打客服热线 ${hotline}。`,
};

export type Strings = typeof zh;
