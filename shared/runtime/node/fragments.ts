/** How a packet is cut where there is a lane: what is long goes there, the rest through the socket. */
import { limits } from '../../limits.ts';

export interface Fragment {
  readonly segments: readonly Uint8Array[];
  readonly bytes: number;
  /** It fits into a slot of the lane, and is worth one. */
  readonly isLong: boolean;
}

/** The same bytes in the same order; of no segments, one fragment without any. */
export function fragmentsOf(segments: readonly Uint8Array[]): readonly Fragment[] {
  const fragments: Fragment[] = [];
  let run: Uint8Array[] = [];
  let bytes = 0;
  let isLong = false;
  const end = (): void => {
    fragments.push({ segments: run, bytes, isLong });
    run = [];
    bytes = 0;
  };
  for (const segment of segments) {
    const { length } = segment;
    const belongsInLane = length >= limits.laneBytesMin && length <= limits.laneSlotBytes;
    const fits = !isLong || bytes + length <= limits.laneSlotBytes;
    if (run.length > 0 && (belongsInLane !== isLong || !fits)) end();
    isLong = belongsInLane;
    run.push(segment);
    bytes += length;
  }
  end();
  return fragments;
}
