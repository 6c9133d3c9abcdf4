// What metrics are made of.

import { fromRfc3339 } from '../core/clock.ts';

/** A metric with its lines. */
export interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly samples: readonly Sample[];
}
/** One of them. */
export interface Sample {
  /** What the name of this line ends in. */
  readonly suffix?: '_total' | '_bucket' | '_sum' | '_count';
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric that goes up and down. */
export function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, type: 'gauge', help, samples };
}

/** A moment as metrics have it: none when nobody knows it. */
export function time(at: string | null | undefined): readonly Sample[] {
  const instant = fromRfc3339(at ?? '');
  return instant === undefined ? [] : [{ value: instant / 1000 }];
}
