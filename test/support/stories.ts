// Ten believable issues, each with the facts that a good colleague would look up before starting.

export interface Story {
  readonly title: string;
  readonly decision: string;
  readonly constraint: string;
  readonly branch: string;
  readonly command: string;
  readonly assigner: string;
  readonly review: string;
  readonly due: string;
  readonly blocker: string;
  readonly criterion: string;
}

const story = (...parts: readonly string[]): Story => {
  const [title = '', decision = '', constraint = '', branch = '', command = ''] = parts;
  const [assigner = '', review = '', due = '', blocker = '', criterion = ''] = parts.slice(5);
  return { title, decision, constraint, branch, command, assigner, review, due, blocker, criterion };
};

export const STORIES: readonly Story[] = [
  story(
    'Login fails behind a proxy',
    'We keep the old header for a year',
    'No new cookie may be set',
    'release/1.4',
    'npm run test:login',
    'carol',
    'The header is read twice',
    '2026-12-01',
    'Upgrade the proxy',
    'A login through two proxies works',
  ),
  story(
    'Export is empty on Sundays',
    'Weeks begin on Monday everywhere',
    'The file format is frozen',
    'export-v2',
    'make check-export',
    'dan',
    'Time zones are not looked at',
    '2026-12-02',
    'Agree on the week',
    'An export of a Sunday has rows',
  ),
  story(
    'Silent database errors',
    'Errors go to the log and to the page',
    'Never show a query to users',
    'main-db',
    'pytest tests/db',
    'erin',
    'The retry hides the error',
    '2026-12-03',
    'Choose a log format',
    'Each error has a number',
  ),
  story(
    'Slow search for long names',
    'The index is rebuilt at night',
    'At most 200 MB of memory',
    'search-index',
    'cargo bench search',
    'frank',
    'The bench does not run in CI',
    '2026-12-04',
    'Buy a second disk',
    'A search takes 50 ms',
  ),
  story(
    'Umlauts in file names',
    'Names are stored in NFC',
    'Old names must still open',
    'unicode',
    'go test ./names',
    'gina',
    'The rename is not atomic',
    '2026-12-05',
    'Back up the store',
    'A file named in NFD opens',
  ),
  story(
    'Webhooks are sent twice',
    'The receiver is told an id',
    'Never more than five tries',
    'hooks',
    'npm run test:hooks',
    'hugo',
    'The id changes between tries',
    '2026-12-06',
    'Tell the partners',
    'One event is one delivery',
  ),
  story(
    'Dark mode flickers',
    'The class is set before paint',
    'No script without nonce',
    'ui/dark',
    'npx playwright test dark',
    'ines',
    'Safari still flickers',
    '2026-12-07',
    'New tokens for colours',
    'No flash at reload',
  ),
  story(
    'Backups are not encrypted',
    'age is used, and not gpg',
    'Keys never leave the host',
    'backup-age',
    'bats backup.bats',
    'jan',
    'The key is in the log',
    '2026-12-08',
    'Get the keys signed',
    'A backup cannot be read without the key',
  ),
  story(
    'Import stops at 10,000 rows',
    'Rows are read as a stream',
    'One transaction for all rows',
    'import',
    'mvn -q verify -Pimport',
    'kim',
    'The stream is not closed',
    '2026-12-09',
    'Raise the limit of the proxy',
    'A million rows are imported',
  ),
  story(
    'Wrong price after a refund',
    'Rounding is done once, at the end',
    'Cents are integers',
    'billing-fix',
    'php artisan test --group=refund',
    'lea',
    'A test for zero is missing',
    '2026-12-10',
    'Freeze the price list',
    'Refund and price add up to zero',
  ),
];

/** Which of the twelve facts, and a commit, a task file has; `pull`: the pull request of it. */
export function factsIn(file: string, about: Story, pull: string): Readonly<Record<string, boolean>> {
  return {
    'the newest decision': file.includes(about.decision),
    'a screenshot in a comment': /saved as issue-\d+\.attachments\/\w{8}-shot\.png/u.test(file),
    'a commit that mentions it': /^> - commit [0-9a-f]{12}$/mu.test(file),
    'an open pull request': file.includes(`${pull} (open, closes this issue) by hans`),
    'a constraint in an issue it refers to': file.includes(about.constraint),
    'the branch to start from': file.includes(`to start from: ${about.branch}`),
    'the command to test with': file.includes(`> Run \`${about.command}\`.\n<!-- END`),
    'who assigned it': file.includes(`Assigned to hans by ${about.assigner}, `),
    'an edit after that': /edited \S+, after it was assigned/u.test(file),
    'how the last attempt ended':
      file.includes(`${about.assigner}, `) && file.includes(about.review) && file.includes('Attempt 1, the one before'),
    'the due date': file.includes(`Due: ${about.due}`),
    'a blocker': file.includes(about.blocker),
    'an acceptance criterion': file.includes(`acceptance criteria by alice`) && file.includes(about.criterion),
  };
}
