/** Bot Framework channels (Azure Bot Service, the Emulator, Agents Playground): CloudAdapter authenticates, the turn gate answers. */

import { createHash } from 'node:crypto';
import {
  type Activity,
  ActivityTypes,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type ConversationReference,
  DeliveryModes,
  type InvokeResponse,
  TurnContext,
} from 'botbuilder';
import { z } from 'zod';
import type { RecordedActivity } from '../../record/types.ts';
import { CodedError, type Delivery, type Sender, type TurnGate, type TurnOutcome } from '../channel.ts';
import { whatIsWrong } from '../http.ts';

/** How long one attempt to push a reply may take. */
const SEND_WITHIN_MS = 10_000;

/** What a channel has to send for a turn; the rest of an activity passes as it is. */
const ActivityShape = z.looseObject({
  type: z.string().min(1).max(100),
  id: z.string().max(1_000).optional(),
  text: z.string().max(4_000, 'A message may have at most 4,000 characters.').nullish(),
  channelId: z.string().min(1).max(100),
  serviceUrl: z.url({ protocol: /^https?$/ }).max(1_000),
  from: z.looseObject({ id: z.string().min(1).max(1_000) }),
  recipient: z.looseObject({ id: z.string().min(1).max(1_000) }),
  conversation: z.looseObject({ id: z.string().min(1).max(1_000) }),
});

/** The activities that are turns. Typing, reactions and the like change nothing. */
const TURN_TYPES: ReadonlySet<string> = new Set([
  ActivityTypes.Message,
  ActivityTypes.Event,
  ActivityTypes.ConversationUpdate,
  ActivityTypes.EndOfConversation,
]);

/** The bank's registration with Azure Bot Service; without an app id the endpoint is open, which only the demo allows. */
export interface BotFrameworkCredentials {
  readonly appId: string;
  readonly appPassword: string | undefined;
  readonly tenantId: string | undefined;
  readonly type: string;
}

/** What the adapter works with. */
export interface BotFrameworkParts {
  readonly credentials: BotFrameworkCredentials | null;
  readonly gate: TurnGate;
  /** Our conversation id of an outside thread: always the same for the same thread. */
  readonly threadIndex: (channel: string, outsideId: string) => string;
  readonly seal: (text: string) => string;
  readonly open: (sealed: string) => string;
  readonly newId: () => string;
}

/** Bot Framework channels in and out. */
export interface BotFramework {
  /**
   * Takes one posted activity and answers when its turn is recorded.
   * Throws a {@link CodedError}: `bad_activity`, `not_authenticated`, `busy`, `unavailable`.
   */
  take(authorization: string, body: unknown): Promise<InvokeResponse | undefined>;
  readonly sender: Sender;
}

/** The part of the SDK's HTTP client that every request to a channel goes through. */
interface Pipeline {
  removePolicy(policy: { readonly name: string }): unknown;
  addPolicy(policy: {
    readonly name: string;
    sendRequest(request: { timeout: number }, next: (request: { timeout: number }) => Promise<never>): Promise<never>;
  }): void;
}

class Cloud extends CloudAdapter {
  /** The part of `process` behind its HTTP: Lobby reads bodies and answers errors in one way on all its addresses. */
  take(
    authorization: string,
    activity: Activity,
    logic: (context: TurnContext) => Promise<void>,
  ): Promise<InvokeResponse | undefined> {
    return this.processActivity(authorization, activity, logic);
  }

  /**
   * The SDK's connector tries a failed request three times more by itself, and waits for ever; its options for both have
   * no effect. An attempt of the outbox is one request, and ends in time.
   */
  once(context: TurnContext): void {
    const { client } = context.turnState.get<{ readonly client: { readonly pipeline: Pipeline } }>(
      this.ConnectorClientKey,
    );
    client.pipeline.removePolicy({ name: 'defaultRetryPolicy' });
    client.pipeline.addPolicy({
      name: 'sendWithin',
      sendRequest(request, next) {
        request.timeout = SEND_WITHIN_MS;
        return next(request);
      },
    });
  }
}

export function createBotFramework(parts: BotFrameworkParts): BotFramework {
  const cloud = new Cloud(authentication(parts.credentials));
  return {
    async take(authorization, body) {
      const parsed = ActivityShape.safeParse(body);
      if (!parsed.success) throw new CodedError('bad_activity', whatIsWrong(parsed.error));
      const activity = parsed.data as unknown as Activity;
      try {
        return await cloud.take(authorization, activity, (context) => serve(parts, context));
      } catch (error) {
        throw asCoded(error);
      }
    },
    sender: { channel: 'azure', send: (message) => push(cloud, parts, message) },
  };
}

function authentication(credentials: BotFrameworkCredentials | null): ConfigurationBotFrameworkAuthentication {
  const configuration = credentials
    ? {
        MicrosoftAppId: credentials.appId,
        MicrosoftAppType: credentials.type,
        ...(credentials.appPassword !== undefined && { MicrosoftAppPassword: credentials.appPassword }),
        ...(credentials.tenantId !== undefined && { MicrosoftAppTenantId: credentials.tenantId }),
      }
    : {};
  return new ConfigurationBotFrameworkAuthentication(configuration);
}

async function serve(parts: BotFrameworkParts, context: TurnContext): Promise<void> {
  const { activity } = context;
  if (!TURN_TYPES.has(activity.type)) return;
  const inline = activity.deliveryMode === DeliveryModes.ExpectReplies;
  const outside = `${activity.channelId}\n${activity.conversation.id}`;
  const outcome = await parts.gate.receive({
    channel: 'azure',
    conversationId: parts.threadIndex('azure', outside),
    key: keyOf(activity, parts),
    activity: { ...activity, from: { ...activity.from, id: parts.threadIndex('azure-user', activity.from.id) } },
    delivery: inline ? { by: 'inline' } : routeOf(activity, parts),
  });
  const said = repliesOf(outcome);
  if (inline && said.length > 0) await context.sendActivities(said.map(toActivity));
}

function keyOf(activity: Activity, { threadIndex, newId }: BotFrameworkParts): string {
  const thread = threadIndex('azure', `${activity.channelId}\n${activity.conversation.id}`);
  const id = activity.id ? createHash('sha256').update(activity.id).digest('base64url') : newId();
  return `az:${activity.channelId}:${thread}:${id}`;
}

function routeOf(activity: Activity, { seal }: BotFrameworkParts): Delivery {
  return { by: 'outbox', route: seal(JSON.stringify(TurnContext.getConversationReference(activity))) };
}

/** The replies of a turn, or the refusal as an error the route answers with. */
function repliesOf(outcome: TurnOutcome): readonly RecordedActivity[] {
  switch (outcome.status) {
    case 'done':
    case 'repeat':
      return outcome.activities.filter(({ direction }) => direction === 'out');
    case 'busy':
      throw new CodedError('busy', 'This conversation has too many messages waiting; try again shortly.');
    case 'unavailable':
    case 'unknown_conversation':
      throw new CodedError('unavailable', 'The message could not be recorded; try again shortly.');
  }
}

function toActivity({ body }: RecordedActivity): Partial<Activity> {
  return structuredClone(body) as Partial<Activity>;
}

async function push(
  cloud: Cloud,
  { open, credentials }: BotFrameworkParts,
  message: Parameters<Sender['send']>[0],
): ReturnType<Sender['send']> {
  const reference = JSON.parse(open(message.route)) as Partial<ConversationReference>;
  let wireId: string | null = null;
  try {
    await cloud.continueConversationAsync(credentials?.appId ?? '', reference, async (context) => {
      cloud.once(context);
      // The continuation has an id of its own; the replies answer the customer's message.
      if (reference.activityId !== undefined) context.activity.id = reference.activityId;
      const responses = await context.sendActivities(message.activities.map(toActivity));
      wireId = responses.at(-1)?.id ?? null;
    });
  } catch (error) {
    throw sendError(error);
  }
  return { wireId };
}

/** What is known of a message whose sending failed: certainly not taken, perhaps later, or nobody can say. */
function sendError(error: unknown): CodedError {
  const { statusCode, code } = error as { statusCode?: unknown; code?: unknown };
  const status = typeof statusCode === 'number' ? statusCode : null;
  if (status === 429 || status === 503 || code === 'ECONNREFUSED' || code === 'ENOTFOUND') {
    return new CodedError('send_retry', 'The channel does not take messages now.', { cause: error });
  }
  if (status !== null && status >= 400 && status < 500) {
    return new CodedError('send_refused', 'The channel refused the message.', { cause: error });
  }
  return new CodedError('send_unknown', 'Whether the channel took the message is not known.', { cause: error });
}

function asCoded(error: unknown): unknown {
  if (error instanceof CodedError) return error;
  const { name, statusCode } = error as { name?: unknown; statusCode?: unknown };
  const refused = name === 'AuthenticationError' || statusCode === 401 || statusCode === 403;
  return refused
    ? new CodedError('not_authenticated', 'The request does not carry a valid Bot Framework token.', { cause: error })
    : error;
}
