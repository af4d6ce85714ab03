/** Letters of a channel: what an app subscribes to, and the key to it. */
export declare const channelLength = 32;
/** 150 bits nobody can guess. */
export declare function newChannel(): string;
