export { Caisson } from './client.js';
export type { CaissonOptions, CallOptions, FollowOptions, Program, RunOptions } from './client.js';
export { Conversation, INTERACT_PROTOCOL } from './conversation.js';
export type { SignalName, Terminal } from './conversation.js';
export { CaissonError, ConnectionLost, Refused } from './errors.js';
export type { Problem } from './errors.js';
export { bytesOf, textOf } from './events.js';
export type { Bytes, OutputData, OutputFileData, RunEvent } from './events.js';
export type * from './messages.js';
