// Commands that set it up, and keep it so.

import { type Command, Option } from 'commander';
import type { World } from '../deps/world.ts';
import type { Runner } from './runner.ts';

/** `init`, `doctor`, `token`, `systemd`. */
export function addCare(program: Command, world: World, runs: Runner): void {
  program
    .command('init')
    .description('asks for server, token, repositories and agents, tries each answer, writes the configuration')
    .option('--url <address>', 'the address of the server')
    .option('--token-file <file>', 'where the access token is, or where to store the one you type (or $GITEA_TOKEN)')
    .option('--repository <owner/name...>', 'the repositories to watch; owner/* for all of an owner')
    .option('--agent <login...>', 'the agents (default: every assignee)')
    .option('--workspace <folder>', 'where task files, state and log go (default: this folder)')
    .action(
      runs(async (options) => {
        const [{ init }, { initDeps }] = await Promise.all([import('../commands/init.ts'), import('../deps/init.ts')]);
        return init(initDeps(world, options), options);
      }),
    );
  program
    .command('doctor')
    .description('checks everything that a pass needs; each failure ends with what to type')
    .option('--json', 'one JSON document (schemaVersion 1)')
    // Root has it started like this, as the service: what root sees is not what the service sees.
    .addOption(new Option('--as-service').hideHelp())
    .action(
      runs(async (options) => {
        const [{ doctor }, { doctorDeps }] = await Promise.all([
          import('../commands/doctor.ts'),
          import('../deps/doctor.ts'),
        ]);
        return doctor(doctorDeps(world, options), options);
      }),
    );
  program
    .command('token')
    .description('stores another access token, after trying it: asks for it, or reads standard input')
    .option('--server <name>', 'whose token it is, where there are several servers')
    .action(
      runs(async (options) => {
        const [{ token }, { tokenDeps }] = await Promise.all([
          import('../commands/token.ts'),
          import('../deps/token.ts'),
        ]);
        return token(tokenDeps(world, options));
      }),
    );
  addSystemd(program, world, runs);
}

function addSystemd(program: Command, world: World, runs: Runner): void {
  const group = program
    .command('systemd')
    .helpCommand(false)
    .description('units that run a pass every minute, with the paths of this installation and configuration');
  const acts = {
    print: ['print them, write nothing', 'printUnits'],
    install: ['write them, and check as the service that it can do its work', 'installUnits'],
    uninstall: ['stop and remove them; says what stays', 'uninstallUnits'],
  } as const;
  for (const [name, [description, act]] of Object.entries(acts)) {
    const command = group
      .command(name)
      .description(description)
      .option('--user', 'for your own user, without root')
      .option('--run-as <account>', 'who the service runs as (default: the owner of the workspace)')
      .option('--name <name>', 'for a further office on this machine: its units are dispatcher-NAME')
      .option('--directory <folder>', 'write there and call no systemctl, for packages')
      .action(
        runs(async (options) => {
          const [commands, { systemdDeps }] = await Promise.all([
            import('../commands/systemd.ts'),
            import('../deps/systemd.ts'),
          ]);
          return commands[act](systemdDeps(world, options), options);
        }),
      );
    if (name !== 'install') continue;
    command.option('--now', 'run a pass, wait for its end, and start the timer');
    command.option('--yes', 'do what has to be done first, without asking (it is printed)');
  }
}
