import type { Instant } from '../clock.ts';
import { fromRfc3339, toRfc3339 } from '../clock.ts';
import type { Listing } from '../listing/listing.ts';
import type { AwayServer, Heartbeat } from './last-pass.ts';

type Answers = NonNullable<Listing['answers']>;
type Before = Pick<Heartbeat, 'away' | 'failingSince'> | null;

/** The servers that are away after a pass, each since when. While passes fail altogether, all are. */
export function awayAfter(before: Before, answers: Answers, now: Instant): AwayServer[] {
  return answers.flatMap(({ server, error }) => {
    if (error === null) return [];
    const known = before?.away?.find((each) => each.server === server)?.since;
    return [{ server, since: known ?? before?.failingSince ?? toRfc3339(now), error }];
  });
}

/** The servers that were away, and answer again; and for how long they did not. */
export function backAgain(
  before: Before,
  answers: Answers,
  now: Instant,
): readonly { readonly server: string; readonly ms: number }[] {
  return (before?.away ?? []).flatMap(({ server, since }) =>
    answers.some((each) => each.server === server && each.error === null)
      ? [{ server, ms: now - (fromRfc3339(since) ?? now) }]
      : [],
  );
}
