/** The user part of a URL, and the value after a name that means a secret. */
const userPart = /\b([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s/"'<>]{1,512}@/gi;
const named = /((?:^|[^a-z0-9])["']?(?:api[_-]?|auth[_-]?|secret[_-]?|private[_-]?|access[_-]?)?(?:key|token|passwords?|passwd|secret|authorization)["']?\s{0,4}[:=]\s{0,4}(?:bearer\s{1,4}|basic\s{1,4})?)(?:"[^"]{0,4096}"|'[^']{0,4096}'|[^\s,;&"'}\]]{1,4096})/gi;

/** Takes credentials out of a text: `amqp://user:pw@host` becomes `amqp://***@host`, `key=abc` becomes `key=***`. */
export function redact(text: string): string {
  return text.replace(userPart, "$1***@").replace(named, "$1***");
}

const secretWords: ReadonlySet<string> = new Set([
  "key",
  "apikey",
  "token",
  "password",
  "passwd",
  "passphrase",
  "pass",
  "pwd",
  "secret",
  "credential",
  "credentials",
  "username",
  "user",
  "authorization",
  "auth",
]);
/** Words that make a name with a secret word in it public after all: `public_key`, `key_file`. */
const publicWords: ReadonlySet<string> = new Set(["public", "file", "path", "prefix", "type", "id", "routing"]);

/** Whether an option of this name holds a secret: `key`, `api_token`, `sasl.password`, `secretKey`. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z\d]+/);
  return words.some((word) => secretWords.has(word)) && !words.some((word) => publicWords.has(word));
}
