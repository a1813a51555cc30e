/** What an upgrade from HTTP to WebSocket names (RFC 6455, section 4). */

export const rpcPath = '/rpc';
/** Spoken by stock `ws` and browsers. */
export const stockProtocol = 'weft.1';
/** The same bytes, read and written by us. */
export const directProtocol = 'weft.direct.1';
/** The extension by which two processes of a host agree on a lane (lane.ts). */
export const laneExtension = 'weft-lane';
