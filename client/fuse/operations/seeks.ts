import { FsError } from '../../../shared/errno.ts';
import { whences } from '../protocol.ts';
import type { Handlers } from '../volume.ts';

export const seekHandlers = {
  /** lseek(2) with SEEK_DATA and SEEK_HOLE. */
  async seek({ access, files }, { body }, control) {
    const { offset, whence } = body;
    if (whence !== whences.data && whence !== whences.hole) throw new FsError('EINVAL');
    const file = files.get(body.file);
    await access.settled(file.handle, control);
    const wanted = whence === whences.data ? 'data' : 'hole';
    const found = await file.seek(offset, wanted, control);
    if (found === undefined) throw new FsError('ENXIO');
    return { offset: found };
  },
} satisfies Partial<Handlers>;
