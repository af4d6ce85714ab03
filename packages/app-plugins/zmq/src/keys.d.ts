export interface KeyPair {
    readonly publicKey: string;
    readonly secretKey: string;
}
/**
 * Writes a new key pair to a file only its owner can read, in the format of CZMQ certificates, which pyzmq writes and reads too.
 * @returns the public key
 * @throws if the file exists
 */
export declare function createKeyFile(path: string): Promise<string>;
/** @throws ThreatbusError `OPTIONS_INVALID` */
export declare function readKeyPair(path: string): Promise<KeyPair>;
/**
 * The accepted public keys: one at the start of a line, whatever follows it after a space is its owner's name. Lines that begin with `#`
 * and hold no key are comments.
 * @throws ThreatbusError `OPTIONS_INVALID`
 */
export declare function readAuthorizedKeys(path: string): Promise<readonly Buffer[]>;
