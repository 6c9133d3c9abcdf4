// A model of who may hold a task, for the recorded history of several hosts: nothing of the product is asked, only what
// happened when. Times are the database's, in milliseconds.

/** Something that happened to a task. An attempt is the number of a holding: each new holder of a task has a higher one. */
export interface OwnershipEvent {
  readonly at: number;
  readonly task: string;
  readonly event:
    | /** It is to be done from now on: assigned, reopened, or by force once more. */ 'wanted'
    | /** It is not any more: closed, taken from the agent, or held. */ 'unwanted'
    | /** A host has it from now on, and the slot with it. */ 'taken'
    | /** Its file is in the folder of that host. */ 'appeared'
    | /** Its holder said that it is still there. */ 'renewed'
    | /** Its holder handed it back, done or blocked, and that was accepted. */ 'finished'
    | /** Its holder gave it back at once: no file appeared. */ 'returned'
    | /** Its holder has it no more, and nobody remembers it: attempts begin anew. */ 'ended'
    | /** Its lease is over from now on: its holder has not come for long. */ 'expired'
    | /** It was taken from its holder, which did not come any more. */ 'lapsed';
  /** Of what a holder does: who. */
  readonly host?: string;
  readonly attempt?: number;
}

export interface OwnershipRules {
  readonly rateLimitMs: number;
  readonly leaseMs: number;
  /** How long a task may lie when nobody has it and the slot is open. */
  readonly patienceMs: number;
  /** When there was no database: nobody could take anything. */
  readonly outages?: readonly { readonly from: number; readonly to: number }[];
  /** When the record ends. */
  readonly until: number;
}

export interface OwnershipViolation {
  readonly rule: 'single owner' | 'limit' | 'late finish' | 'without an owner' | 'twice' | 'lost';
  readonly what: string;
}

interface Holding {
  readonly host: string;
  readonly attempt: number;
  readonly until: number;
}

/** What is known of one task after the events so far. */
interface Model {
  readonly isWanted: boolean;
  readonly isFinished: boolean;
  readonly holding: Holding | null;
  readonly attempts: number;
  /** Since when it could be taken by somebody; null while it cannot. */
  readonly freeSince: number | null;
}

const NEW: Model = { isWanted: false, isFinished: false, holding: null, attempts: 0, freeSince: null };

/** Every way in which a history is not one that the promises allow. */
export function ownershipViolations(
  history: readonly OwnershipEvent[],
  rules: OwnershipRules,
): readonly OwnershipViolation[] {
  // Of what happened in the same millisecond the order is the one of the record.
  const events = history.toSorted((a, b) => a.at - b.at);
  // A slot that was taken for a file that never appeared is lost all the same.
  const slots = events.filter(({ event }) => event === 'taken' || event === 'appeared').map(({ at }) => at);
  const byTask = new Map<string, OwnershipEvent[]>();
  for (const event of events) {
    const own = byTask.get(event.task) ?? [];
    byTask.set(event.task, own);
    own.push(event);
  }
  return [...tooClose(events, rules), ...[...byTask].flatMap(([task, own]) => livesOf(task, own, slots, rules))];
}

/** One task from the first event to the last. */
function livesOf(
  task: string,
  events: readonly OwnershipEvent[],
  slots: readonly number[],
  rules: OwnershipRules,
): readonly OwnershipViolation[] {
  const found: OwnershipViolation[] = [];
  let model = NEW;
  for (const event of events) {
    found.push(...forbidden(model, event));
    const next = after(model, event, rules);
    if (next.holding !== model.holding || !next.isWanted) {
      const ms = neglectedFor(model, event.at, slots, rules);
      if (ms > rules.patienceMs)
        found.push(violation('without an owner', `${task} lay for ${ms} ms with the slot open, until ${event.at}`));
    }
    model = next;
  }
  const ms = neglectedFor(model, rules.until, slots, rules);
  if (ms > rules.patienceMs) found.push(violation('lost', `${task} is nowhere at the end, for ${ms} ms`));
  return found;
}

/** What an event breaks, given what came before it. */
function forbidden(
  model: Model,
  { at, task, event, host = '', attempt = 0 }: OwnershipEvent,
): readonly OwnershipViolation[] {
  const { holding } = model;
  const who = `${task} by ${host} (attempt ${attempt}) at ${at}`;
  switch (event) {
    case 'taken': {
      const isAlive = holding !== null && at < holding.until;
      return [
        ...(isAlive ? [violation('single owner', `${who}, while ${holding.host} held it until ${holding.until}`)] : []),
        ...(attempt <= model.attempts ? [violation('twice', `${who} again, which had attempt ${model.attempts}`)] : []),
        ...(model.isFinished ? [violation('twice', `${who}, which was finished`)] : []),
      ];
    }
    case 'appeared':
    case 'renewed':
    case 'returned':
    case 'ended':
      return isBy(holding, host, attempt) || (event === 'ended' && model.isFinished)
        ? []
        : [violation('single owner', `${who} ${event}, who did not hold it`)];
    case 'finished':
      return isBy(holding, host, attempt)
        ? []
        : [violation('late finish', `${who} was finished by who did not hold it`)];
    case 'lapsed':
      return holding !== null && at < holding.until
        ? [violation('single owner', `${who} was taken from ${holding.host} before ${holding.until}`)]
        : [];
    case 'wanted':
    case 'unwanted':
    case 'expired':
      return [];
  }
}

function after(
  model: Model,
  { at, event, host = '', attempt = 0 }: OwnershipEvent,
  { leaseMs }: OwnershipRules,
): Model {
  const held = { host, attempt, until: at + leaseMs };
  switch (event) {
    case 'wanted':
      return { ...model, isWanted: true, isFinished: false, freeSince: model.holding ? null : (model.freeSince ?? at) };
    case 'unwanted':
      return { ...model, isWanted: false, freeSince: null };
    case 'taken':
      return {
        ...model,
        isFinished: false,
        holding: held,
        attempts: Math.max(attempt, model.attempts),
        freeSince: null,
      };
    case 'appeared':
    case 'renewed':
      return isBy(model.holding, host, attempt) ? { ...model, holding: held } : model;
    case 'finished':
      return isBy(model.holding, host, attempt)
        ? { ...model, isFinished: true, holding: null, freeSince: null }
        : model;
    case 'expired':
      return model.holding ? { ...model, holding: { ...model.holding, until: at } } : model;
    case 'ended':
      return { ...model, holding: null, attempts: 0, freeSince: model.isWanted ? at : null };
    case 'returned':
    case 'lapsed':
      return { ...model, holding: null, freeSince: model.isWanted ? (freeSince(model, at) ?? at) : null };
  }
}

const isBy = (holding: Holding | null, host: string, attempt: number): boolean =>
  holding !== null && holding.host === host && holding.attempt === attempt;

const violation = (rule: OwnershipViolation['rule'], what: string): OwnershipViolation => ({ rule, what });

/** Since when nobody has it: a lease that nobody renewed ends by itself. */
function freeSince({ isWanted, isFinished, holding, freeSince: since }: Model, at: number): number | null {
  if (!isWanted || isFinished) return null;
  if (holding) return holding.until < at ? holding.until : null;
  return since;
}

/** The longest stretch until then in which the task was free, the slot was open, and there was a database. */
function neglectedFor(
  model: Model,
  at: number,
  slots: readonly number[],
  { rateLimitMs, outages = [] }: OwnershipRules,
): number {
  const since = freeSince(model, at);
  if (since === null) return 0;
  const last = slots.findLast((time) => time <= since) ?? Number.NEGATIVE_INFINITY;
  const meanwhile = slots.filter((time) => time > since && time < at);
  const opens = [last, ...meanwhile].map((time) => Math.max(since, time + rateLimitMs));
  const lay = (from: number, to: number): number =>
    to - from - outages.reduce((sum, away) => sum + Math.max(0, Math.min(to, away.to) - Math.max(from, away.from)), 0);
  return Math.max(...opens.map((open, index) => lay(open, meanwhile[index] ?? at)));
}

/** Of any two files in a row, over all hosts, the second one appears a whole window after the first. */
function tooClose(events: readonly OwnershipEvent[], { rateLimitMs }: OwnershipRules): readonly OwnershipViolation[] {
  const appearances = events.filter(({ event }) => event === 'appeared').map(({ at }) => at);
  return appearances.flatMap((at, index) => {
    const gap = at - (appearances[index - 1] ?? Number.NEGATIVE_INFINITY);
    return gap < rateLimitMs ? [violation('limit', `two files within ${gap} ms, at ${at}`)] : [];
  });
}
