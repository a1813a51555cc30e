/** `weft completion`: a script for the shell of the user. */
import { UsageError } from '../arguments.ts';
import { commandGroups, globalOptions, programs } from '../command-table.ts';
import type { Run } from '../command.ts';
import { completionScript, shells } from '../completion-scripts.ts';

export const run: Run = async (given, { output }) => {
  const wanted = given.operand(0);
  const shell = shells.find((one) => one === wanted);
  if (shell === undefined) {
    throw new UsageError(`no completions for '${wanted}'`, `weft completion ${shells.join('|')}`);
  }
  const commands = commandGroups.flatMap((group) => group.commands);
  const others = programs.filter(({ name }) => commands.every((one) => one.name !== name));
  const script = completionScript(shell, [
    ...commands.map((one) => ({ ...one, options: [...one.options, ...globalOptions] })),
    ...others.map((one) => ({ ...one, options: [] })),
  ]);
  output.result({ shell, script }, () => script.trimEnd());
};
