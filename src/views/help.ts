const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  dispatcher: [
    'dispatcher init                     asks, and writes the configuration',
    'dispatcher doctor                   is everything there?',
    'dispatcher dispatch --dry-run       what would be dispatched now, and why',
    'dispatcher                          one pass, as the timer runs it',
    'dispatcher status                   what each agent has and waits for',
    'dispatcher dispatch --issue 5       this one next, whatever its priority',
    'dispatcher report                   how it went, the last seven days',
    'dispatcher dashboard                the page for the browser, http://127.0.0.1:8098',
  ],
  dispatch: [
    'dispatcher dispatch                             one pass, as the timer runs it',
    'dispatcher dispatch --dry-run                   the same decision, nothing written',
    'dispatcher dispatch --issue 5                   out of turn, within the limits',
    'dispatcher dispatch --issue 5 --force           lifts the limits that can be lifted',
    'dispatcher dispatch --issue 5 --repo acme/app --agent hans',
  ],
  status: [
    'dispatcher status                   tables per agent',
    'dispatcher status --agent hans -w   one agent, refreshed every 2 s',
    'dispatcher status --json            for scripts',
    'dispatcher status --exit-status     for monitoring: 0 healthy, 3 not',
  ],
  init: [
    'dispatcher init                     asks, and writes ./dispatcher.yaml',
    'dispatcher init --url https://git.example.com --token-file token --repository acme/app --agent hans',
  ],
  doctor: [
    'dispatcher doctor                   is everything there?',
    'dispatcher doctor --json            for scripts',
  ],
  token: [
    'dispatcher token                               asks for another token, tries it, and stores it',
    'sudo dispatcher token < new-token              where only root may write it',
    'dispatcher token --server team                 that of one of several servers',
  ],
  systemd: [
    'dispatcher systemd print                       what would be written',
    'sudo dispatcher systemd install --now          a pass every minute, from now on',
    'dispatcher systemd install --user --now        the same without root',
    'sudo dispatcher systemd install --name acme --now   for a second office on this machine',
  ],
  store: [
    'dispatcher store init                          once, from one machine: makes the tables',
    'dispatcher store status                        the machines, and what each of them has',
    'dispatcher store import                        tasks and pauses of this machine go to the database',
  ],
  completion: [
    'source <(dispatcher completion bash)           now; its first lines tell how to keep it',
    'dispatcher completion fish > ~/.config/fish/completions/dispatcher.fish',
  ],
  help: ['dispatcher help dispatch', 'dispatcher help exit-codes'],
  explain: [
    'dispatcher explain                  every candidate of the last pass, with its outcome and since when',
    'dispatcher explain --issue 5        the whole story of one issue',
  ],
  report: [
    'dispatcher report                   the last seven days: tables and small charts',
    'dispatcher report --since 30d --agent hans',
    'dispatcher report --json            for scripts; in a pipe without it, a line each agent and priority',
  ],
  pause: [
    'dispatcher pause --reason "release freeze"     nobody gets anything',
    'dispatcher pause --agent hans --for 2h         only hans, and only for two hours',
  ],
  next: [
    'dispatcher next                         takes the most urgent new task, prints the path of its file',
    'dispatcher next --wait 30m --json       waits for one; as one JSON document',
    'dispatcher next --peek                  which one it would be; nothing is moved',
    'while task=$(dispatcher next --wait 1d --pid $$); do my-agent "$task" && dispatcher done "$task"; done',
  ],
  done: [
    'dispatcher done                         the one task that is taken is finished',
    'dispatcher done acme/app#5 --pr https://git.example.com/acme/app/pulls/7',
  ],
  block: ['dispatcher block acme/app#5 --reason "which of the two tables is meant?"'],
  release: ['dispatcher release acme/app#5           it is new again, as if it had not been taken'],
  work: [
    'dispatcher work -- my-agent                    one task; exit 0 of the command means that it is done',
    'dispatcher work --timeout 1h -- codex exec "Work on the task that you are given as input."',
  ],
  mcp: ['claude mcp add tasks -- dispatcher mcp --agent hans          (DISPATCHER_TASKS names the task folder)'],
  instructions: ['dispatcher instructions --agent hans >> AGENTS.md'],
  resume: ['dispatcher resume                          everything goes on', 'dispatcher resume --agent hans'],
  dashboard: [
    'dispatcher dashboard                       http://127.0.0.1:8098',
    'dispatcher dashboard --port 9000',
    'ssh -L 8098:localhost:8098 you@server      to see it from elsewhere',
  ],
};

/** Examples of a command, which its help begins with. */
export function examples(command: string): string {
  const lines = EXAMPLES[command] ?? [];
  return lines.length > 0 ? `Examples:\n${lines.map((line) => `  ${line}`).join('\n')}\n` : '';
}

/** The exit codes, which every help ends with. */
export const EXIT_CODES = `
Exit codes (one that is not listed means failure):
  0    done; also nothing to do, or no slot yet in a scheduled pass
  1    unexpected failure
  2    wrong usage, or not clear which issue or agent is meant
  3    status --exit-status: not healthy
  4    token missing or refused
  5    refused without --force, or by what --force never lifts
  6    next, work: there is no task; done, block, release: there is no such task
  75   Gitea (or the database of several machines) unreachable or throttling, or another command is running: try later
  78   configuration or template invalid
  130  interrupted`;

const ENVIRONMENT = `
Environment variables:
  DISPATCHER_CONFIG      the configuration to use; --config goes before it
  GITEA_URL, GITEA_REPOSITORIES
                         server and repositories (with commas or spaces) when there is no configuration file;
                         the current folder is the workspace then
  GITEA_TOKEN            the access token, when neither gitea.tokenFile nor a systemd credential has it;
                         of several servers each has its own: GITEA_TOKEN_TEAM for the one called team
  CREDENTIALS_DIRECTORY  set by systemd; the token is in its file gitea-token (of a server called team: gitea-token-team),
                         the address of the store in store-url
  XDG_CONFIG_HOME        where dispatcher/config.yaml is looked for (default: ~/.config)
  CACHE_DIRECTORY (set by systemd), XDG_CACHE_HOME
                         where agent-dispatcher/ keeps what was compiled and checked (default: ~/.cache)
  NODE_EXTRA_CA_CERTS    a file with the certificate of your own authority (better: gitea.caFile)
  HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY
                         the proxy for Gitea and the ping, and the hosts that are asked without it
  DISPATCHER_AGENT       whose tasks next, done, block, release, work, mcp and instructions mean; --agent goes before it
  DISPATCHER_TASKS       the task folder they work in, when the configuration is not for this user to read
  DISPATCHER_FILE        the task that done, block and release mean when none is named; work sets it
  NO_COLOR, FORCE_COLOR  no colour, or colour in a pipe as well
  COLUMNS                the width to use where there is no terminal
  TZ, LANG, LC_ALL       time zone of the log; without UTF-8 signs become ASCII

The place of the state is never taken from the environment: timer and terminal must agree on it.`;

const CONFIG_HEAD = `
The first of these is the whole configuration:
  --config FILE, $DISPATCHER_CONFIG, ./dispatcher.yaml, $XDG_CONFIG_HOME/dispatcher/config.yaml,
  /etc/dispatcher/config.yaml

What the dispatcher reads (workspace, tokenFile, passwordFile, templates) is relative to that file; what it writes
(tasks.directory, state, log.file) is relative to the workspace. Every key:
`;

type Topic = (packaged: (name: string) => Promise<string>) => Promise<string>;

/** Help that belongs to no command, by its name. Each is given a way to read a file of the package. */
export const TOPICS: ReadonlyMap<string, Topic> = new Map<string, Topic>([
  ['exit-codes', async () => EXIT_CODES],
  ['environment', async () => ENVIRONMENT],
  ['config', async (packaged) => `${CONFIG_HEAD}\n${await packaged('deploy/config.example.yaml')}`],
]);
