import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { taskPage } from '../../src/views/pages/task.ts';
import { type Frame, safeUrl } from '../../src/views/pages/parts.ts';
import { frontPage } from '../../src/views/pages/front.ts';
import { quoteBetweenMarkers } from '../../src/core/task/untrusted.ts';
import { NO_WORK } from '../../src/core/mailbox/work-record.ts';
import { workedTask } from '../../src/core/task/status.ts';
import { statusTsv } from '../../src/views/status.ts';
import { aPass, aRest, aRow, aServer, aSnapshot, aTaskFile, iso, MINUTE, NOON } from '../support/builders.ts';

const FRAME: Frame = {
  program: 'dispatcher 1.0.0',
  servers: [aServer({ url: 'https://git.example.com' })],
  now: NOON,
  timeZone: 'Europe/Berlin',
  version: 'v',
  position: '',
  assets: 'a',
};
const htmlOf = (body: string): string =>
  taskPage(
    {
      agent: 'hans',
      file: 'issue-1.md',
      path: '/w/hans/issue-1.md',
      text: `---\nref: "acme/app#1"\n---\n${body}`,
      cut: 0,
    },
    FRAME,
  )
    .sections.map(({ html }) => html)
    .join('\n');

describe('a task file as a page', () => {
  test.for([
    ['a script', '<script>alert(1)</script>'],
    ['a handler', '<img src=x onerror=alert(1)>'],
    ['a link that runs', '[x](javascript:alert(1))'],
    ['the same, disguised', '[x](java&#115;cript:alert(1)) [y](JaVaScRiPt:alert(1)) <javascript:alert(1)>'],
    ['a data address', '[x](data:text/html;base64,PHNjcmlwdD4=)'],
    ['a picture from elsewhere', '![x](https://evil.example/pixel.png "t")'],
    ['a frame', '<iframe src="//evil.example"></iframe>'],
    ['style', '<style>*{display:none}</style><p style="x">'],
    ['an attribute that ends', '[x](https://a.example/"onmouseover="alert(1))'],
    ['a reference', '[x]\n\n[x]: javascript:alert(1) "t"'],
  ])('%s does nothing', ([, text]) => {
    const html = htmlOf(`${text}\n\n${quoteBetweenMarkers(text ?? '', 'k7Qd', 'who')}`);
    expect(html).not.toMatch(/<(?:script|img|iframe|style|p style)/iu);
    expect(html).not.toMatch(/<[^>]*\son\w+=/iu);
    expect(html).not.toMatch(/(?:href|src)="(?!https?:)/iu);
  });

  test('whatever is written, only harmless elements come out', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '&',
      '`',
      '[',
      ']',
      '(',
      ')',
      '!',
      'javascript:',
      'http://x.y',
      '\n',
      '> ',
      '# ',
      '- ',
      '*',
      '_',
      '|',
      'a',
      ' ',
      '<a href=x>',
      '&lt;',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const tags = [...htmlOf(pieces.join('')).matchAll(/<(\/?[a-z0-9]+)([^>]*)>/giu)];
        for (const [, name = '', attributes = ''] of tags) {
          expect(name).toMatch(
            /^\/?(?:p|h[1-6]|ul|ol|li|blockquote|pre|code|em|strong|a|hr|br|s|table|thead|tbody|tr|th|td)$/u,
          );
          expect(attributes).toMatch(
            /^(?: href="https?:\/\/[^"<>]*" rel="noreferrer nofollow"| start="\d+"| class="language-[^"]*"| \/)?$/u,
          );
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('headings stand below those of the page', () => {
    expect(htmlOf('# One\n\n###### Six')).toContain('<h3>One</h3>\n<h6>Six</h6>');
  });

  test('front matter becomes a table, in order; without one that is said', () => {
    const text = '---\nref: "acme/app#1"\nlabels: ["a", "b"]\ndue: null\n---\n';
    expect(taskPage({ agent: 'hans', file: 'issue-1.md', path: '/p', text, cut: 0 }, FRAME).facts).toEqual([
      { name: 'ref', value: 'acme/app#1' },
      { name: 'labels', value: 'a, b' },
      { name: 'due', value: 'none' },
    ]);
    expect(taskPage({ agent: 'hans', file: 'issue-1.md', path: '/p', text: 'x', cut: 0 }, FRAME).facts).toBeNull();
  });
});

describe('the first page', () => {
  const page = (filter = {}, snapshot = aSnapshot({ lastPass: aPass() }, [aTaskFile()])) =>
    frontPage(
      {
        snapshot,
        dispatches: [],
        log: [
          { time: 't', name: 'DISPATCHED', level: 'notice', message: 'hans got one' },
          { time: 't', name: 'ERROR', level: 'error', message: 'Gitea is away' },
        ],
        filter: { agent: '', priority: '', logText: '', logProblems: false, ...filter },
        issuesUrl: 'https://git.example.com/issues',
      },
      FRAME,
    );

  test('the log is filtered by level and by text, without case', () => {
    expect(page().log.lines).toHaveLength(2);
    expect(page({ logProblems: true }).log.lines).toMatchObject([{ name: 'ERROR' }]);
    expect(page({ logText: 'gitea IS' }).log.lines).toMatchObject([{ name: 'ERROR' }]);
    expect(page({ logText: 'nothing like it' }).log.lines).toBeNull();
  });

  test.for([
    { health: 'ok', title: 'Dispatcher', state: { lastPass: aPass() } },
    { health: 'stale', title: '! stale – Dispatcher', state: { lastPass: aPass({ finishedAt: iso(NOON - 600_000) }) } },
    {
      health: 'failing',
      title: '! failing – Dispatcher',
      state: { lastPass: aPass({ outcome: 'failed' }), consecutiveFailures: 3 },
    },
    { health: 'never run', title: '! never run – Dispatcher', state: {} },
  ])('the title tells when it is not well: $health', ({ health, title, state }) => {
    const shown = page({}, aSnapshot(state));
    expect([shown.title, shown.health.word]).toEqual([title, health]);
  });

  test('what is announced holds no age: it would be spoken again and again', () => {
    expect(page().announcement).toBe('Passes are ok');
  });

  test('an agent with many tasks shows the first ones, and how many more there are', () => {
    const files = Array.from({ length: 30 }, (_, number) => aTaskFile({ ref: `acme/app#${number}`, issue: number }));
    expect(page({}, aSnapshot({ lastPass: aPass({ rows: [] }) }, files)).agents).toMatchObject([{ more: 22 }]);
    const long = aSnapshot({ lastPass: aPass({ rows: [], rest: [aRest()] }) }, files);
    expect(page({}, long).agents).toMatchObject([{ more: 4822 }]);
  });

  test('of many that were passed over it says how many more there are, also when none of them is listed', () => {
    const rows = Array.from({ length: 30 }, (_, number) =>
      aRow({ key: String(number), outcome: 'skipped', reason: 'held', detail: 'label' }),
    );
    const rest = [aRest({ outcome: 'skipped', reason: 'held', count: 70 })];
    expect(page({}, aSnapshot({ lastPass: aPass({ rows, rest }) })).passedOver).toMatchObject({ more: 80 });
    const unlisted = page({}, aSnapshot({ lastPass: aPass({ rows: [], rest }) }));
    expect(unlisted.tiles).toContainEqual({ label: 'passed over', count: 70, href: '#passed-over', mood: '' });
    expect(unlisted.passedOver).toEqual({ rows: [], more: 70 });
    expect(page().passedOver).toBeNull();
  });

  test('a task that is taken is as old as it is in status: since it was taken', () => {
    const file = aTaskFile();
    const movedAt = NOON - 5 * MINUTE;
    const task = workedTask({ ...file.task, stage: 'doing' }, { claims: [], movedAt }, NO_WORK);
    const snapshot = aSnapshot({ lastPass: aPass({ rows: [] }) }, [{ ...file, task }]);
    const [line = ''] = statusTsv(snapshot).split('\n');
    expect(line.split('\t').at(-1)).toBe(iso(movedAt));
    expect(page({}, snapshot).agents).toMatchObject([{ rows: [{ age: { at: iso(movedAt) } }] }]);
  });
});

describe('addresses', () => {
  test.for(['javascript:alert(1)', 'data:text/html,x', 'https://a b', 'https://a"b', '//x', 'ftp://x', '', 'http://'])(
    '%s is no link',
    (url) => {
      expect(safeUrl(url)).toBeNull();
    },
  );
});
