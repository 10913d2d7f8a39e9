/** Everything the assistant says, in English. */

import type { Strings } from './zh.ts';

const ago = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? '' : 's'} ago`;

export const en: Strings = {
  aiNotice: { version: 'ai-notice-1' },
  greeting: {
    full: 'Hello, and welcome! I’m the bank’s digital assistant. My replies are automatic; I’m not a person.\n\nAsk me anything about savings, transfers, cards or loans, in your own words. If you’d rather have a member of staff, just say “human”.',
    short:
      'Hello! I’m the bank’s digital assistant: my replies are automatic, I’m not a person. For a member of staff, just say “human”.',
    again: 'Hello! What can I do for you?',
  },

  chips: {
    person: 'Talk to a person',
    cancelPerson: 'Cancel the request',
    helped: 'Yes, it helped',
    notHelped: 'Not solved',
    none: 'None of these',
    yes: 'Yes',
    otherLanguage: '中文',
  },

  answer: {
    didItHelp: 'Did this help?',
    riskLine:
      'Please note: wealth products, funds, insurance and gold are not deposits, and you may lose part of what you put in. This is general information, not a recommendation.',
    scamHint:
      'Stay safe: we never ask for your password or a verification code, and never ask you to share your screen or move money to a “safe account”.',
    solvedAndRelated: 'I’m glad that helped. These may be useful too:',
    rateMissing:
      'I can’t find a figure for this that is in force today, and I don’t want to give you a wrong one. Shall I put in a request for a member of staff to answer it?',
  },

  offer: {
    one: (title) => `Did you mean “${title}”?\n\nIf not, just ask me in other words.`,
    several: (choices) =>
      `Which of these did you mean? Tap one, or reply with its number.\n\n${choices.map((choice) => `${choice.number}. ${choice.title}`).join('\n')}\n\nIf it’s none of them, just ask me in other words.`,
    outOfRange: (last) => `You can choose from 1 to ${last} here.`,
  },

  miss: {
    first:
      'Sorry, I couldn’t find a good answer to that.\n\nIt may help to put it another way and be specific, for example “annual fee for a debit card”. Here is what people often ask:',
    second:
      'Sorry, I still couldn’t find a good answer. Shall I put in a request for a member of staff? You can also keep asking me.',
    expired:
      'Sorry, the bank is updating this answer, and I can’t give you the old one. Shall I put in a request for a member of staff to answer it?',
    waiting: (number) =>
      `Sorry, I couldn’t find a good answer to that. It’s in our conversation, so staff will see it when they handle your request (${number}).`,
  },

  negative: {
    first: 'Sorry, that missed the point. Could you tell me in other words what you’d like to do?',
    firstWithOthers:
      'Sorry, that missed the point. Did you perhaps mean one of these? You can also put it in other words.',
    second:
      'Sorry, I haven’t been much help. Shall I put in a request for a member of staff? You can also try me again in other words.',
    sorryThen: 'Sorry, I misunderstood.',
    sorryThenPerson:
      'Sorry, I misunderstood again. If you’d rather not keep trying, say “human” and I’ll put in a request.',
    waiting: (number) =>
      `Sorry I couldn’t help. Your request for a person (${number}) is still waiting, and staff can see our whole conversation.`,
  },

  handoff: {
    offer: 'Shall I put in a request for a member of staff to answer it?',
    recorded: (hours, hotline) =>
      `Of course. I’ve recorded your request for a person: it is number {{handoff}}.\n\nI can’t connect you on the spot here yet. Staff handle requests in order during service hours (${hours}). They can see our whole conversation, so you won’t have to repeat yourself.\n\nIf it’s urgent (a lost card, a scam, something wrong with your account), please call the hotline now: ${hotline}.\n\nWhile you wait you can keep asking me. If you no longer need a person, say “cancel the request”.`,
    recordedAfterMisses: (hours, hotline) =>
      `I’m sorry I haven’t been able to help. I’ve recorded a request for a person for you: it is number {{handoff}}.\n\nI can’t connect you on the spot here yet. Staff handle requests in order during service hours (${hours}). They can see our whole conversation, so you won’t have to repeat yourself.\n\nIf it’s urgent, please call the hotline now: ${hotline}. You can keep asking me meanwhile; if you no longer need a person, say “cancel the request”.`,
    already: (since, hours, hotline) =>
      `Your request for a person is already recorded. It is still number {{handoff}}, made ${since}, and keeps its place.\n\nStaff handle requests in order during service hours (${hours}). If it’s urgent, please call the hotline now: ${hotline}.`,
    cancelled: (number) =>
      `All right, your request for a person (${number}) is cancelled. If you want one later, just say “human”.`,
    stillWaiting: (number) =>
      `Your request for a person (${number}) is still waiting. If you no longer need it, say “cancel the request”.`,
    declined: 'All right. If you have a question, just ask me.',
    since: (minutes) => {
      if (minutes < 1) return 'just now';
      if (minutes < 60) return ago(minutes, 'minute');
      if (minutes < 48 * 60) return ago(Math.floor(minutes / 60), 'hour');
      return ago(Math.floor(minutes / 1440), 'day');
    },
  },

  help: 'I can answer common questions about savings, transfers, cards, loans and mobile banking.\n\n- Just type your question; one thing at a time works best\n- “human”: put in a request for a member of staff\n- “start over”: begin again\n- “中文”: switch to Chinese\n- “end chat”: end this chat\n\nPlease don’t send passwords, verification codes or full card numbers here.',
  startOver: 'Sure, let’s start again. What would you like to do?',
  cancel: {
    done: 'All right, let’s leave that. What else can I do for you?',
    nothing: 'There is nothing to cancel right now. What can I do for you?',
  },
  languageSet: 'Sure, I’ll answer in English from now on.',
  farewell: {
    plain:
      'That’s the end of this chat. Thank you for coming by, and all the best! If anything comes up, just write again.',
    withRequest: (number) =>
      `That’s the end of this chat, and your request for a person (${number}) is cancelled with it. If you still need one, just write again. Thank you for coming by, and all the best!`,
  },

  courtesy: {
    hello: 'Hello! What can I do for you?',
    thanks: 'You’re welcome. If anything else comes up, just ask.',
    bye: 'Goodbye, and all the best!',
    who: 'I’m the bank’s digital assistant. My replies are automatic; I’m not a person. I do my best to be accurate, and for anything I can’t answer, say “human” and I’ll put in a request for a member of staff.',
    well: 'All right. Is there anything else I can do for you?',
    number:
      'There’s nothing to choose from right now, so I couldn’t place that number. Tell me in a few words what you’d like to do.',
    helped: 'I’m glad that helped. If anything else comes up, just ask.',
  },

  wordless: {
    emoji: 'Thank you! If there’s something you’d like to do at the bank, tell me in a few words.',
    nothing: 'There were no words in that message. Tell me in a few words what you’d like to do.',
    form: 'I got what you submitted, but I can’t handle forms yet. Please type what you’d like to do.',
    file: 'Your file has arrived. It’s kept with this conversation, where staff can see it. I can’t read files myself, so please tell me in a few words what you’d like to do.',
    fileToo:
      'Your file has arrived too. It’s kept with this conversation, where staff can see it. I can’t read files myself.',
  },

  erased: {
    sorry:
      'A word of care: please never send passwords, verification codes or the three digits on the back of a card to anyone. They aren’t needed here either. We have removed that part and not kept it. If you think somebody may have seen it, please change it soon.',
    sayAgain: 'What would you like to do? Just say it again without those details.',
  },

  lostThread: {
    sorry: 'Sorry, the system has just been updated and I’ve lost the thread of what we were doing.',
    sayAgain: 'Please tell me once more what you’d like to do, or say “human” and I’ll put in a request.',
  },

  failure: (hotline) =>
    `Sorry, something went wrong on my side and I couldn’t answer. Your message has been kept. Please try again in a little while, or say “human”; if it’s urgent, please call the hotline: ${hotline}.`,
};
