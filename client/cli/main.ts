#!/usr/bin/env node
/**
 * The command `weft`: from the command line to one command's code, and to the exit code. 0: all
 * went well; 1: it did not; 2: the command line is wrong. The only file that knows commander.
 */
import { pathToFileURL } from 'node:url';
import { Command, CommanderError } from 'commander';
import { version } from '../../shared/version.ts';
import { commandGroups, globalOptions, programs } from './command-table.ts';
import type { CommandSpec, OptionSpec, Outcome } from './command.ts';

const firstSteps = `
First steps:
  weft up --detach                  start a mgr and four iods here
  export WEFT_URL=ws://...          as weft up prints it
  weft cp -r ./photos weft:/photos  copy in
  weft where --draw weft:/photos/a  see how a file is striped
  weft down                         stop it all`;

/** What a mgr may take for the connection of somebody who wants to know what is wrong. */
const observerPatienceMs = 1_200;

const exitCodes = { well: 0, failed: 1, broken: 2 } as const;

const [, , first = '', ...rest] = process.argv;
// The programs take options only: weft iod evict iod1 is a command.
const isProgram = rest[0]?.startsWith('-') ?? true;
const program = isProgram ? programs.find(({ name }) => name === first) : undefined;

// A reader that has seen enough (`weft ls | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

if (program === undefined) process.exitCode = await runCommandLine(process.argv);
else await become(program.name, rest);

/** This process is the daemon from here on: signals and supervisors mean no other. */
async function become(role: 'mgr' | 'iod', args: readonly string[]): Promise<void> {
  const { programPath } = await import('./installation.ts');
  const path = programPath(role);
  process.argv = [process.argv[0] ?? process.execPath, path, ...args];
  await import(pathToFileURL(path).href);
}

async function runCommandLine(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const command = makeProgram(async (...given) => {
    exitCode = exitCodes[(await runCommand(...given)) ?? 'well'];
  });
  try {
    await command.parseAsync(argv);
    return exitCode;
  } catch (error: unknown) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return tell(error, argv.includes('--json'));
  }
}

/** @returns the exit code */
async function tell(error: unknown, json: boolean): Promise<number> {
  const [{ UsageError }, { describeFailure, failureJson, failureText }] = await Promise.all([
    import('./arguments.ts'),
    import('./failure.ts'),
  ]);
  const mistake = error instanceof CommanderError ? new UsageError(...usageMistake(error)) : error;
  const failure = describeFailure(mistake);
  if (json) process.stdout.write(`${failureJson(failure)}\n`);
  else process.stderr.write(`${failureText(failure)}\n`);
  return mistake instanceof UsageError ? 2 : 1;
}

type RunCommand = (
  spec: CommandSpec,
  operands: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<void>;

function makeProgram(run: RunCommand): Command {
  const weft = new Command('weft')
    .description('A parallel file system for machines that have Node and nothing else.')
    .usage('COMMAND [options]')
    .version(version, '--version', 'version of this program')
    .helpCommand('help [command]', 'what a command does')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
    .addHelpText('after', firstSteps);
  for (const option of globalOptions) addOption(weft, option);
  for (const { title, commands } of commandGroups) {
    weft.commandsGroup(title);
    for (const spec of commands) addCommand(weft, spec, run);
  }
  weft.commandsGroup('Daemons:');
  for (const { name, summary } of programs) {
    if (weft.commands.every((command) => command.name() !== name)) {
      weft.command(name).description(summary);
    }
  }
  return weft;
}

function addCommand(weft: Command, spec: CommandSpec, run: RunCommand): void {
  const json = `\n--json prints ${spec.json}`;
  const command = weft
    .command(`${spec.name} ${spec.operands}`.trim())
    .description(spec.summary)
    .addHelpText('after', [...(spec.notes ?? []).map((note) => `\n${note}`), json].join(''))
    .action(async () => {
      await run(spec, command.args, command.optsWithGlobals());
    });
  // Where -h means human sizes, as in ls, help is --help alone.
  if (spec.options.some(({ flags }) => flags.startsWith('-h,'))) command.helpOption('--help');
  for (const option of spec.options) addOption(command, option);
}

function addOption(command: Command, { flags, summary, many }: OptionSpec): void {
  if (many !== true) command.option(flags, summary);
  else command.option(flags, summary, (text: string, all: string[]) => [...all, text], []);
}

/** What is wrong, and what to try. */
function usageMistake({ code, message }: CommanderError): [string, string] {
  if (code === 'commander.help') return ['no command is given', 'weft --help'];
  return [message.replace(/^error: /, ''), 'weft --help, or weft help COMMAND'];
}

async function runCommand(
  spec: CommandSpec,
  operands: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Promise<Outcome | void> {
  // Help needs none of these, and is there sooner without.
  const [{ Arguments }, { Output }, { makeContext }, { run }] = await Promise.all([
    import('./arguments.ts'),
    import('./output.ts'),
    import('./context.ts'),
    spec.load(),
  ]);
  const given = new Arguments(operands, options);
  const seconds = given.count('timeout', { min: 1, max: 86_400 });
  const context = makeContext(
    new Output({ json: given.flag('json') }),
    given.text('url') ?? process.env['WEFT_URL'],
    {
      name: `weft ${spec.name} (pid ${process.pid})`,
      keyFile: given.text('key'),
      user: given.text('user') ?? process.env['WEFT_USER'],
      ...(spec.observes === true && { deadlineMs: observerPatienceMs }),
      ...(seconds !== undefined && {
        callDeadlineMs: seconds * 1000,
        deadlineMs: seconds * 1000,
      }),
    },
  );
  try {
    return await run(given, context);
  } finally {
    await context.close();
  }
}
