/** Processor time that the model takes from what was measured here. Pure. */
import type { ProfiledRole, ProfileReport } from '../profile/report.ts';
import type { CurveName, ScalingReport } from '../scaling/curves.ts';

export interface Costs {
  /** Of a call, where many share a frame, seconds; of all iods together. */
  readonly call: (headline: string, role: ProfiledRole) => number;
  /** Of a GiB in calls of 1 MiB, seconds. */
  readonly gibibyte: (headline: string, role: ProfiledRole) => number;
  /** What a request and its answer cost each of the two ends when they travel alone, seconds. */
  readonly frame: number;
}

/** @throws Error when one of the reports lacks what is asked for */
export function costsOf(profile: ProfileReport, scaling: ScalingReport): Costs {
  const cpu = (headline: string, role: ProfiledRole): number => {
    const found = profile.profiled.find((one) => one.headline === headline);
    const part = found?.processes.find((one) => one.role === role);
    if (part === undefined) throw new Error(`'${headline}' was not profiled`);
    return part.cpu;
  };
  const most = Math.max(...scaling.points.filter(isStat).map(({ at }) => at));
  // With one session, calls share frames; with more sessions than calls, none does.
  const [shared, alone] = [1, most].map((at) => pointAt(scaling, 'sessions-stat-cpu', at));
  return {
    call: (headline, role) => cpu(headline, role) / 1e6,
    gibibyte: (headline, role) => cpu(headline, role) / 1e3,
    frame: ((alone ?? NaN) - (shared ?? NaN)) / 2 / 1e6,
  };
}

function isStat({ curve }: ScalingReport['points'][number]): boolean {
  return curve === 'sessions-stat-cpu';
}

function pointAt({ points }: ScalingReport, curve: CurveName, at: number): number {
  const found = points.find((point) => point.curve === curve && point.at === at);
  if (found === undefined) throw new Error(`${curve} was not measured at ${at}`);
  return found.value;
}
