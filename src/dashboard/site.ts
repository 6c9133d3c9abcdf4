import type { Context } from 'hono';
import type { ErrorRecord } from '../core/errors.ts';
import type { Snapshot } from '../core/health/snapshot.ts';
import { type Frame, frameData } from '../views/pages/parts.ts';
import type { DashboardDeps } from './dashboard-deps.ts';
import { createFeed, type Feed } from './feed.ts';
import { loadPages, type PageName } from './pages.ts';

type Answer = Response | Promise<Response>;

/** What all routes share. */
export interface Site {
  readonly deps: DashboardDeps;
  readonly feed: Feed;
  /** Style sheet, script and icons, by name. */
  readonly assets: ReadonlyMap<string, string>;
  readonly render: (name: PageName, data: object) => string;
  /** The frame of a page that is rendered now. */
  readonly frame: () => Frame;
  /** Answers with what the page makes of the snapshot, or with a card that tells why there is none. */
  readonly withSnapshot: (context: Context, page: (snapshot: Snapshot) => Answer) => Answer;
  readonly notFound: (context: Context, what: string) => Answer;
}

const ASSETS = ['dashboard.css', 'dashboard.js', 'favicon-ok.svg', 'favicon-attention.svg', 'favicon-trouble.svg'];

/** Reads templates and assets, and looks at the local files for the first time. */
export function createSite(deps: DashboardDeps): Site {
  const feed = createFeed(deps);
  const render = loadPages(deps.source);
  const assets = new Map(ASSETS.map((name) => [name, deps.source(name)]));
  const stamp = checksum([...assets.values()].join(''));
  const frame = (): Frame => ({
    program: `dispatcher ${deps.version}`,
    servers: deps.config.servers,
    now: deps.now(),
    timeZone: deps.timeZone,
    version: feed.version(),
    position: feed.position(),
    assets: stamp,
  });
  const unreadable = ({ message, code, hint }: ErrorRecord): string =>
    render('message', {
      ...frameData(frame(), '! state unreadable – Dispatcher', 'trouble', `The state cannot be read: ${message}`),
      heading: 'The state cannot be read',
      message,
      code,
      fix: hint,
    });
  const notFound = (what: string): string =>
    render('message', {
      ...frameData(frame(), 'Not found – Dispatcher', 'ok', ''),
      heading: 'Not found',
      message: what,
      code: null,
      fix: null,
    });
  return {
    deps,
    feed,
    assets,
    render,
    frame,
    withSnapshot: (context, page) => {
      const local = feed.picture();
      return local.kind === 'snapshot' ? page(local.snapshot) : context.html(unreadable(local.error));
    },
    notFound: (context, what) => context.html(notFound(what), 404),
  };
}

// Only tells versions of our own files apart.
function checksum(text: string): string {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 2_147_483_647;
  return sum.toString(36);
}
