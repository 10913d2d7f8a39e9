/** What short words mean in answer to the assistant: yes and no, "that's wrong", a number from a list, a greeting. In both languages, whatever the conversation's is. */

/** Longer messages are no short words, whatever they hold. */
const SHORT = 80;

/** Folded for comparison: full-width to half, lower case, punctuation and symbols to single spaces. Empty for what is not short. */
function bare(text: string): string {
  if (text.length > SHORT) return '';
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]/gu, '')
    .replace(/[\p{P}\p{S}\s]+/gu, ' ')
    .trim();
}

/** Matches when one of the patterns is the whole message, apart from punctuation and a closing particle. */
function whole(...patterns: readonly string[]): (text: string) => boolean {
  const pattern = new RegExp(`^(?:${patterns.join('|')})(?: ?[了啊呀吧呢嘛哦噢的])*$`, 'u');
  return (text) => pattern.test(bare(text));
}

/** The customer's own words: without the marks that stand where a secret was erased. */
export function withoutMarks(text: string): string {
  return text.replace(/\[\p{Script=Han}+已删除\]/gu, ' ');
}

/** Are there words at all, or only emoji and punctuation? */
export function hasWords(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

const isYes = whole(
  '是|是的|对|对的|嗯+|好|好的|行|可以|要|需要|没错|麻烦你?|登记|请登记|帮我登记|请帮我登记',
  'yes|yes please|yeah|yep|ok|okay|sure|please|please do|go ahead|right|correct|thats it',
);
const isNo = whole(
  '不|不是|不用|不要|不需要|不必|算|没|没有|否|不对|暂时不用|先不用',
  'no|nope|no thanks|no thank you|not now|never mind|neither|not really',
);

export type YesNo = 'yes' | 'no';

export function readYesNo(text: string): YesNo | null {
  if (isYes(text)) return 'yes';
  return isNo(text) ? 'no' : null;
}

const isHelped = whole(
  '有帮助|有幫助|很有帮助|有用|很有用|解决|已解决|已经解决|解決|問題解決|问题解决|帮到|可以|明白|知道|懂|了解|清楚|谢谢你?|谢谢您|谢|多谢|感谢|謝謝|太好|很好|不错',
  'yes it (?:did|helped)|it (?:did|helped)|that helped|this helped|helped|helpful|very helpful|solved|its solved|got it|great|perfect|understood|thanks(?: a lot| so much)?|thank you(?: very much| so much)?',
);
const isNotHelped = whole(
  '没解决|没有解决|沒解決|没帮助|没有帮助|沒有幫助|没用|没有用|沒用|没帮到|还是不行|还是不会|不行',
  'not solved|not helpful|unhelpful|it didnt(?: help)?|didnt help|it did not help|that didnt help|not at all',
);

/** An answer to "did this help?". */
export function readHelped(text: string): YesNo | null {
  if (/^\p{White_Space}*(?:👍|👌|🙏|❤)/u.test(text)) return 'yes';
  if (/^\p{White_Space}*👎/u.test(text)) return 'no';
  if (isHelped(text)) return 'yes';
  if (isNotHelped(text) || readNegative(text)?.rest === '') return 'no';
  return readYesNo(text);
}

const NEGATIVE = new RegExp(
  `^(?:${[
    '(?:你|你们|您|我|这|这个|回答|答得|答的|说的|说得|还是|都|完全|根本|一点|太|也|又|更|真的?)*' +
      '(?:不对|不對|不是|不是这个|不是这样|不是我[要想]?问的|(?:以上)?都不是|答非所问|没用|没有用|沒用|没帮助|没有帮助|没解决|没有解决|沒解決|听不懂|聽不懂|看不懂|搞不懂|不明白|在?乱[答说讲]|胡说|胡说八道|垃圾|笨|傻|错|错误)' +
      '[了啊呀吧呢嘛哦的！]*',
    '(?:no )?(?:(?:this|that|it|you|your answer|the answer|this answer)(?:s| is| are| was|re)? )?(?:so |totally |completely |still |all |just |really )?' +
      '(?:wrong|useless|unhelpful|not helpful|no help|no use|rubbish|nonsense|stupid|not it|not what i (?:asked|meant|want|wanted)|not solved|incorrect)',
    'none of these|(?:(?:this|that|it) )?(?:doesnt|didnt|does not|did not) help',
    '(?:i )?(?:dont|do not|cant|cannot) (?:understand|follow)(?: (?:you|this|that|it))?',
  ].join('|')})$`,
  'u',
);

/**
 * A customer who says that the assistant got it wrong; `rest` is what they said after that.
 *
 * @example readNegative('不对，我问的是年费') // { rest: '我问的是年费' }
 */
export function readNegative(text: string): { readonly rest: string } | null {
  if (NEGATIVE.test(bare(text))) return { rest: '' };
  const [, head = '', rest = ''] = /^([^,，。.!！;；:：?？]+)[,，。.!！;；:：]+(.+)$/su.exec(text.trim()) ?? [];
  return NEGATIVE.test(bare(head)) && hasWords(rest) ? { rest: rest.trim() } : null;
}

const CANCELS_PERSON = new RegExp(
  '(?<![要能可])(?:取消|不用|不要|不需要|不想|先不|别)(?:再|给我|帮我|了)*(?:转|转接|找|叫|等|排)?(?:到|的|了)?(?:人工|真人|客服|工作人员|排队|登记)|' +
    '(?:cancel|withdraw|stop|drop) (?:the |my |this )?(?:request|human|person|agent|handoff|queue|waiting)|' +
    '(?:dont|do not|no longer) (?:need|want) (?:a |an |the |to talk to a )?(?:human|person|agent|staff|request)',
  'u',
);

/** Does a customer who waits for a person say that they no longer want one? */
export function cancelsPerson(text: string): boolean {
  return CANCELS_PERSON.test(bare(text));
}

/** Is "cancel" meant in earnest, and not a "never mind" in passing? */
export function saysCancel(text: string): boolean {
  return /取消|退出|cancel|abort/iu.test(text);
}

const NUMBERS: readonly (readonly string[])[] = [
  ['1', '一', 'one', 'first', '1st'],
  ['2', '二', '两', 'two', 'second', '2nd'],
  ['3', '三', 'three', 'third', '3rd'],
];

/** What a customer answered to a list: the index of a choice, none of them, a number the list has not, or (null) something else. */
export type Pick = number | 'none' | 'out_of_range' | null;

export function readPick(text: string, titles: readonly string[]): Pick {
  const said = bare(text);
  const same = titles.findIndex((title) => bare(title) === said);
  if (same !== -1) return same;
  const number = readNumber(said, titles.length);
  if (number !== null) return number < titles.length ? number : 'out_of_range';
  if (isNone(text)) return 'none';
  const yesNo = readYesNo(text);
  if (yesNo === 'no') return 'none';
  if (yesNo === 'yes' && titles.length === 1) return 0;
  return onlyTitleWith(said, titles);
}

const isNone = whole(
  '(?:以上)?都不是|(?:以上)?都不对|一个都不是|没有我[要想]问?的|都没有|没有一个',
  'none|none of (?:these|those|them|the above)|neither of them|not any of these',
);

function readNumber(said: string, count: number): number | null {
  if (/^(?:最后(?:一个|一条)?|the last one|last one|last)$/u.test(said)) return count - 1;
  const word = /^(?:我?选择?|我要|option|number|no|the)? ?第? ?(\S+?) ?(?:个|条|项|号| ?one)?$/u.exec(said)?.[1] ?? '';
  const known = NUMBERS.findIndex((names) => names.includes(word));
  if (known !== -1) return known;
  return /^\d{1,2}$/u.test(word) ? Number(word) - 1 : null;
}

/** Part of a title counts when it fits no other title. */
function onlyTitleWith(said: string, titles: readonly string[]): number | null {
  const long = /\p{Script=Han}/u.test(said) ? said.length >= 2 : said.length >= 4;
  const fitting = titles.flatMap((title, index) => (long && bare(title).includes(said) ? [index] : []));
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

export type Courtesy = 'hello' | 'thanks' | 'bye' | 'who' | 'well' | 'helped' | 'number';

const COURTESIES: readonly (readonly [Courtesy, (text: string) => boolean])[] = [
  [
    'hello',
    whole(
      '(?:你好|您好|你们好|哈[喽啰罗]|嗨|嘿|早|早上好|上午好|中午好|下午好|晚上好|在吗|在不在)(?: ?(?:你好|您好|在吗))*',
      '(?:hi|hello|hey)(?: there| again)?|good (?:morning|afternoon|evening)',
    ),
  ],
  [
    'thanks',
    whole(
      '(?:好的? ?)?(?:非常|十分)?(?:谢谢|感谢|多谢|謝謝|谢|辛苦)(?:你|您|你们|帮助)?|(?:你)?(?:真|太|很)(?:棒|好|厉害)|不错',
      '(?:ok |okay |great )?(?:thanks|thank you|thx|cheers)(?: a lot| so much| very much)?|well done|good job|great|perfect|awesome',
    ),
  ],
  [
    'bye',
    whole(
      '再见|再會|拜拜?|拜拜|回头见|下次见|晚安|没事|没事儿|没别的事',
      'bye|bye bye|goodbye|good bye|good night|see you(?: later)?|thats all',
    ),
  ],
  [
    'who',
    whole(
      '你是谁|你是誰|你是什么|你叫什么(?:名字)?|你是(?:不是)?(?:个)?(?:机器人|人工智能|智能助手|ai|真人|人|活人|程序)(?:还是(?:机器人|真人|人|机器))?吗?|你会什么|介绍一下你自己',
      'who are you|what are you|whats your name|are you (?:a |an )?(?:robot|bot|chatbot|human|real|real person|person|ai|machine|human or a robot|robot or a human)',
    ),
  ],
  [
    'well',
    whole(
      '好|好的|嗯+|哦+|噢|行|知道|明白|收到|是|是的|对|不|不用|没有|算|可以',
      'ok|okay|yes|no|no thanks|fine|alright|all right|i see|got it|sure|yeah|nope',
    ),
  ],
  ['helped', isHelped],
  ['number', whole('第? ?\\d{1,6} ?个?')],
];

/** Words of courtesy that ask for nothing. */
export function readCourtesy(text: string): Courtesy | null {
  return COURTESIES.find(([, matches]) => matches(text))?.[0] ?? null;
}
