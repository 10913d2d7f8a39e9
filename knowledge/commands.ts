/** The words that steer the conversation itself. A wish for a person is understood here, by rules, before anything else is tried. */

import { normalise } from './tokenize.ts';
import type { Language } from './types.ts';

/** What a message tells the assistant to do, when it is not a question at all. */
export type Command =
  | { readonly kind: 'person' }
  | { readonly kind: 'start_over' }
  | { readonly kind: 'help' }
  | { readonly kind: 'language'; readonly language: Language }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'end' };

/** Reads a command from a message, or null when it is none. Needs no model and no index, so it works when they do not. */
export function readCommand(text: string): Command | null {
  const said = joinHan(simplify(normalise(text)));
  if (asksForPerson(said)) return { kind: 'person' };
  const forms = bareForms(said);
  return PHRASES.find(([phrases]) => forms.some((form) => phrases.has(form)))?.[1] ?? null;
}

/** The Traditional characters that occur in commands. */
const SIMPLIFIED: Readonly<Record<string, string>> = {
  轉: '转',
  換: '换',
  個: '个',
  務: '务',
  請: '请',
  給: '给',
  幫: '帮',
  說: '说',
  話: '话',
  聯: '联',
  繫: '系',
  係: '系',
  員: '员',
  機: '机',
  對: '对',
  講: '讲',
  無: '无',
  需: '需',
  沒: '没',
  別: '别',
  問: '问',
  題: '题',
  開: '开',
  頭: '头',
  從: '从',
  來: '来',
  結: '结',
  束: '束',
  謝: '谢',
  見: '见',
  語: '语',
  單: '单',
  麼: '么',
  樣: '样',
  過: '过',
  還: '还',
  聊: '聊',
  覺: '觉',
  經: '经',
  絡: '络',
  線: '线',
  專: '专',
  為: '为',
  這: '这',
  們: '们',
  該: '该',
  臺: '台',
  電: '电',
  號: '号',
  碼: '码',
  費: '费',
  審: '审',
  讓: '让',
  馬: '马',
  許: '许',
  點: '点',
  體: '体',
  裡: '里',
  裏: '里',
  嗎: '吗',
  選: '选',
  菜: '菜',
  會: '会',
  華: '华',
  漢: '汉',
  算: '算',
};

function simplify(text: string): string {
  return text.replace(/\p{Script=Han}/gu, (character) => SIMPLIFIED[character] ?? character);
}

/** 转 人 工 is 转人工. */
function joinHan(text: string): string {
  return text.replace(/(?<=\p{Script=Han})\s+(?=\p{Script=Han})/gu, '');
}

// ---- A person ----------------------------------------------------------------------------------------------------

function asksForPerson(said: string): boolean {
  if (bareForms(said).some((form) => PERSON.has(form)) || bareForms(lastClause(said)).some((form) => PERSON.has(form)))
    return true;
  const wished = without(without(said, CHINESE_REFUSAL), ENGLISH_REFUSAL);
  return CHINESE_WISH.some((wish) => wish.test(wished)) || ENGLISH_WISH.some((wish) => wish.test(wished));
}

/** "You don't understand me. Agent." The first clause does not count: there, 客服 is how one begins a letter. */
function lastClause(said: string): string {
  return (
    said
      .split(/[,.!?;:。!?;:,、~…-]+/)
      .map((clause) => clause.trim())
      .findLast((clause) => clause !== '') ?? ''
  );
}

/** Takes out what the customer says they do not want, so that only wishes are left. */
function without(said: string, refused: RegExp): string {
  return said.replace(refused, ' ; ');
}

/** 人工 in all its spellings, typos included; not 人工智能, not the price of labour, not a check done by hand. */
const WORKER = '(?:人工|人功|人共|认工|仁工|rengong)(?!智能|费|成本|审|复核|核|柜|窗口|智慧|ai|湖|草|关节|降雨)';
const LIVE =
  '(?:真人客服|真人|活人|客服|坐席|座席|专员|工作人员|客户经理|大堂经理|柜员)(?!费|电话|热线|号码|微信|邮箱|态度|号|的)';
const SOMEBODY = `(?:${WORKER}(?:客服|服务|坐席|座席)?(?!电话|热线|号码|几点|态度)|${LIVE})`;
const HELPERS = '(?:一下|一个|一位|个|位|到|成|至|去|接|你们的?|银行的?|在线|线上|那个|下|名|你|您){0,4}';
const TURN = '(?:转接|转|接通|接|换|联系|呼叫|叫|找|需要|想要|要|连线|派|请|来|给我)';

const CHINESE_WISH: readonly RegExp[] = [
  new RegExp(`${TURN}${HELPERS}${SOMEBODY}`),
  new RegExp(`(?:和|跟|同|与|对)${HELPERS}(?:${SOMEBODY}|人)(?:说|聊|谈|讲|沟通|通话|对话|交流|咨询)`),
  new RegExp(
    `(?:有没有|有|没有)${HELPERS}(?:${WORKER}|真人|活人|客服|人)(?:服务|客服|在线|在){0,2}(?:吗|么|没|没有|啊|吧|可以|能)`,
  ),
  new RegExp(`有没有${HELPERS}(?:${WORKER}|真人|活人|客服)`),
  new RegExp(`^(?:我)?(?:让|叫)?${HELPERS}(?:${WORKER}|真人|活人|客服)(?:来|回答|接听|处理|服务|接待|帮我|帮忙|回复)`),
  new RegExp(`${SOMEBODY}在(?:线|不在|的)?(?:吗|么|呢)`),
  /(?:转接?|接|换|要|找|叫)(?:一?个)? ?(?:human|agent|operator|person)/,
  /(?:找|来|换|叫|派)(?:一?个|位)?(?:活|真的?|会说话的|能说话的|懂的?|明白)?人(?:来|跟我|和我|帮我|帮忙|处理|聊|说话|说|讲|吧|$|[\s,.!?。!?,])/,
  /(?:不想|不要|别|不愿意?)(?:再)?(?:跟|和|同|让)?(?:你这个?)?(?:机器人?|智能客服|ai)(?:说|聊|讲|谈|回答|回复|服务|对话|$|[\s,.!,。!])/,
];

/** A refusal stands directly before what is refused: 要不要 and 能不能 are none, and 不转人工我就 is a threat, not a refusal. */
const CHINESE_REFUSAL = new RegExp(
  `(?<![要能可为])(?:不要|不用|不想|不需要|不需|不必|不愿意?|用不着|别|甭|无需|无须|先不|暂不|暂时不|没说|没有说|没要|没有要|没让|没叫|不是|并不|不打算|不急着|谢绝|取消)(?:再|给我|帮我|把我|你|您|我|现在|马上|老是?|总是?|先|想|要|急着|需要){0,4}(?:${TURN}|跟|和)*${HELPERS}${SOMEBODY}(?:服务|客服|坐席)?`,
  'g',
);

const PERSON_NOUN =
  "(?:human(?: being)?s?|agents?|operators?|representatives?|reps?|live (?:person|chat|support|agent)|(?:real|actual|live) (?:person|people|human|agent)|csr)(?!'s| account| bank| number| resource| error| rights)";
const PEOPLE = `(?:${PERSON_NOUN}|person|people|someone|somebody|staff(?: members?)?|advis[eo]rs?|employees?|tellers?|managers?|customer (?:service|support|care|services)(?: (?:agent|rep|representative|person))?|support(?: (?:agent|team|person))?|your team|banker|bank officer|one of your \\w+)`;
const ARTICLE =
  '(?:(?:a|an|the|some|your|any|one|another|to|with|through|thru|over|in|for|real|live|actual|human|proper|bank|different) ){0,4}';

const ENGLISH_WISH: readonly RegExp[] = [
  new RegExp(`\\b(?:talk|speak|chat|spk|tlk|talking|speaking|chatting) (?:to|with|2|w) ${ARTICLE}${PEOPLE}\\b`),
  new RegExp(
    `\\b(?:connect|transfer|switch|pass|hand|put|forward|direct|escalate|route|redirect|get|send|take|bring)(?: (?:me|us|this|it|my (?:chat|case|call)))(?: (?:over|through|on|up|in touch|back|straight|directly|now)){0,3} ${ARTICLE}${PEOPLE}\\b`,
  ),
  new RegExp(
    `\\b(?:connect|transfer|switch|escalate|get|need|want|give me|have|prefer|like|wanna|find|call|reach|contact|see|use|request|said|say|typed|asked for|ask for|choose) (?:(?:to|on|hold of|in touch) ){0,2}${ARTICLE}${PERSON_NOUN}\\b`,
  ),
  new RegExp(
    `\\b(?:need|want|get|give me|prefer|wanna|would like|let me have|may i have|can i have|could i have) ${ARTICLE}(?:person|someone|somebody|staff|people|employee|advis[eo]r|customer service|support)(?: (?:now|please|pls|asap|here|instead|to (?:talk|speak|chat|help|answer|call|assist|reply)|who (?:can|knows|will)|on (?:the|this)|from).*)?[.!? ]*$`,
  ),
  new RegExp(
    `\\b(?:is there|are there|any chance of|how (?:do|can) i (?:get|reach|contact)|where is|can) ${ARTICLE}(?:${PERSON_NOUN}|person|anyone|anybody|someone|somebody)(?: (?:i can|who can|that can|to|available|there|here|help|assist|take over|call).*)?[.!? ]*$`,
  ),
  /\b(?:human|agent|operator|representative|person|staff|real person|live chat|customer service),? (?:please|pls|plz|now|asap)\b/,
  /\b(?:please|pls|plz),? (?:a |an )?(?:human|agent|operator|representative)\b/,
  /\b(?:do not|not|stop|rather not|no more|sick of|tired of|fed up with|hate) (?:want |wish |like |going |gonna )?(?:to )?(?:talk|talking|speak|speaking|chat|chatting|deal|dealing)(?: (?:to|with)) (?:a |an |the |this |you,? |your )?(?:ro)?(?:bots?|machines?|computers?|ai|chatbots?|robots?)\b/,
];

const ENGLISH_REFUSAL = new RegExp(
  `\\b(?:(?:do|did|does|would|will|am|need|should) not|not|no need|never|no|without|instead of|rather than|stop|cancel|before|avoid|dont|didnt)(?: (?:to|for|need|needed|want|wish|ask|asked|asking|like|looking|trying|have|be|being|get|getting|prefer|me|us|please|connect|connecting|connected|transfer|transferring|transferred|talk|talking|speak|speaking|chat|chatting|with|yet|any|anymore|you|go|going|through|over|call|calling|put|switch|hand|wait|waiting|require)){0,6} ${ARTICLE}${PEOPLE}\\b`,
  'g',
);

// ---- Whole messages ----------------------------------------------------------------------------------------------

const COURTESY_BEFORE =
  /^(?:(?:你好|您好|嗨|喂|好的|好吧|好|那就|那么|那|请问|请|麻烦你?您?|帮我|给我|我想要?|我要|就|嗯|可以|快点|快|赶紧|立刻|马上|直接)[,\s]*|(?:hi|hello|hey|ok|okay|please|pls|plz|well|so|just|can you|could you|i want to|i would like to|i want|let us|let me|can i|can we|um|thanks)[, ]+)/;
const COURTESY_AFTER =
  /(?:[,\s]*(?:谢谢你?您?|谢谢|谢了|多谢|吧|啊|呀|呢|哦|喔|嘛|啦|哈|了|好吗|好么|可以吗|行吗|行不行|行不|一下|吗)|[, ]+(?:please|pls|plz|thanks|thank you|thx|now|then|asap))$/;

/** Longer messages are no commands. */
const LONGEST = 60;

/** The message without punctuation, then without its greetings and thanks one after another: 那就算了吧 is 算了 on the way. */
function bareForms(said: string): readonly string[] {
  if (said.length > LONGEST) return [];
  const forms = [
    said
      .replace(/[^\p{L}\p{N}\s,']/gu, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  ];
  for (let form = forms[0]; form; ) {
    const shorter = strip(form);
    if (shorter === '' || shorter === form) return forms;
    forms.push(shorter);
    form = shorter;
  }
  return forms;
}

/** One courtesy less: the last one first, so that what comes before it is seen whole. */
function strip(form: string): string {
  const tidy = form.replace(/^[,\s]+|[,\s]+$/g, '');
  if (tidy !== form) return tidy;
  const ended = form.replace(COURTESY_AFTER, '');
  return ended === form ? form.replace(COURTESY_BEFORE, '') : ended;
}

function phrases(list: string): ReadonlySet<string> {
  return new Set(list.split('|').map((phrase) => phrase.trim()));
}

const PERSON = phrases(
  '人工|人工服务|人工客服|人工坐席|人工座席|人工台|转人工|转人功|转人共|转认工|转入工|人功|真人|真人客服|真人服务|活人|客服|在线客服|找客服|找人|换人|找真人|叫人|来人|转接|转客服|有人|有人在|客服在|rengong|zhuanrengong|zhuan ren gong|zrg|' +
    'human|a human|agent|an agent|live agent|person|a person|real person|a real person|someone|somebody|operator|representative|a representative|rep|staff|customer service|customer support|live chat|live person|real human|human agent|human being|humans|anyone there|is anyone there|is anybody there|anybody there|talk to human|talk to someone|humn|talk to humn|huamn|hooman|agnet|help desk|call center|call centre',
);

const PHRASES: readonly (readonly [ReadonlySet<string>, Command])[] = [
  [
    phrases(
      '重新开始|从头开始|从头来|重来|重新来|重新来过|回到开头|返回主菜单|回主菜单|主菜单|返回首页|重置|start over|start again|restart|begin again|main menu|back to start|back to the start|reset|from the beginning|start from scratch',
    ),
    { kind: 'start_over' },
  ],
  [
    phrases(
      '帮助|菜单|使用说明|怎么用|怎么使用|你能做什么|你会做什么|你会什么|你能干什么|你可以做什么|能问什么|你能帮我做什么|有什么功能|功能|help|help me|menu|what can you do|what can i ask|how does this work|what do you do',
    ),
    { kind: 'help' },
  ],
  [
    phrases(
      'english|in english|speak english|switch to english|change to english|english version|do you speak english|can you speak english|english mode|use english|reply in english|answer in english|英文|英语|英文版|说英文|说英语|讲英文|讲英语|用英文|用英语|切换英文|切换英语|切换到英文|切换到英语|切换成英文|切换成英语|换成英文|换成英语|换英文|换英语|英文服务|英语服务|你会说英文|你会说英语|你会英文|你会英语|会说英语',
    ),
    { kind: 'language', language: 'en' },
  ],
  [
    phrases(
      'chinese|in chinese|speak chinese|switch to chinese|change to chinese|chinese version|do you speak chinese|can you speak chinese|mandarin|use chinese|reply in chinese|answer in chinese|中文|汉语|普通话|华语|国语|中文版|说中文|讲中文|说汉语|说普通话|讲普通话|用中文|用汉语|切换中文|切换到中文|切换成中文|换成中文|换中文|中文服务|你会说中文|你会中文|会说中文',
    ),
    { kind: 'language', language: 'zh' },
  ],
  [
    phrases(
      '取消|算了|不用|不办|不弄|不问|没事|先不弄|先不办|先这样算|退出|cancel|cancel that|cancel this|cancel it|never mind|nevermind|forget it|forget about it|drop it|leave it|stop this|quit|exit|abort|not now',
    ),
    { kind: 'cancel' },
  ],
  [
    phrases(
      "再见|拜拜|拜|结束|结束对话|结束聊天|结束会话|结束咨询|关闭对话|关闭聊天|不聊|没有其他问题|没有别的问题|没别的问题|没别的|就这样|就这些|谢谢再见|再会|bye|bye bye|goodbye|good bye|see you|end|end chat|end the chat|end this chat|end conversation|end the conversation|close chat|close the chat|finish chat|that is all|that's all|that will be all|nothing else|no more questions|no other questions|i am done|all done",
    ),
    { kind: 'end' },
  ],
];
