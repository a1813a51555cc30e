/**
 * The far end of a bare socket. The first byte of a connection says what it is for: `w` to take
 * bytes and acknowledge each mebibyte, `p` to answer each 64 bytes with a block of 4 KiB.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';

const askBytes = 64;
const acknowledgedBytes = 1024 * 1024;
const block = Buffer.alloc(4096);
const landing = Buffer.allocUnsafeSlow(256 * 1024);

const server = createServer({ noDelay: true }, (socket) => {
  socket.once('error', () => socket.destroy());
  socket.once('data', (first: Buffer) => {
    const unit = first.toString('latin1', 0, 1) === 'w' ? acknowledgedBytes : askBytes;
    const reply = unit === askBytes ? block : block.subarray(0, 1);
    answerEach(socket, unit, reply, first.length - 1);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit(0));

function answerEach(socket: Socket, unitBytes: number, reply: Buffer, bytesHere: number): void {
  let bytes = bytesHere;
  const answer = (): void => {
    for (; bytes >= unitBytes; bytes -= unitBytes) socket.write(reply);
  };
  answer();
  socket.on('data', (piece: Buffer) => {
    // As in any reader that does something: what came is looked at in memory that is warm.
    piece.copy(landing, 0, 0, Math.min(piece.length, askBytes));
    bytes += piece.length;
    answer();
  });
}
