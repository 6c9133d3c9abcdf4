import { messageOf } from '../core/errors.ts';
import { maskSecrets } from '../core/task/secrets.ts';
import { cleanLine } from '../core/task/untrusted.ts';

/** What stands outside and watches. Null: nobody configured it. */
export interface Monitors {
  readonly ping: ((failure: string | null) => Promise<void>) | null;
  /** Writes the metrics of this moment to their file. */
  readonly writeMetrics: (() => Promise<void>) | null;
  readonly warn: (message: string) => void;
}

/** Tells the monitors how a pass ended (`failure` undefined: well). What goes wrong here is a warning, and no failed pass. */
export async function tellMonitors({ ping, writeMetrics, warn }: Monitors, failure: unknown): Promise<void> {
  const message = failure === undefined ? null : maskSecrets(cleanLine(messageOf(failure), 1000));
  try {
    await writeMetrics?.();
  } catch (error) {
    warn(`the metrics file could not be written: ${messageOf(error)}`);
  }
  try {
    await ping?.(message);
  } catch (error) {
    warn(messageOf(error));
  }
}
