import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { installDebian, type Tell } from "./debian.ts";
import { java } from "./java.ts";
import { quoted, requireLinux, Unavailable } from "./unavailable.ts";

const run = promisify(execFile);

export const newestKafka = "4.4.0";

/** Milliseconds for 44 MB. */
const patience = 600_000;

export interface KafkaPrograms {
  /** The command. */
  readonly java: string;
  /** What goes behind `-cp`. */
  readonly classPath: string;
}

/** Downloads a version of Kafka, once per user, and installs the Java it runs on where that is missing. Throws `Unavailable`. */
export async function requireKafka(version: string = newestKafka, tell: Tell = () => undefined): Promise<KafkaPrograms> {
  requireLinux();
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`not a version of Kafka: ${version}`);
  const command = await java(tell);
  return { java: command, classPath: join(await jars(version, tell), "*") };
}

/** In full: by its short name Maven would look for the newest, and when it cannot, would say that there is none. */
const copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/**
 * Downloads into a folder beside and renames it when all is there. Who comes second waits for the lock, and then finds the work done; what
 * a killed download left is removed by the next.
 */
const script = `
set -eu
[ ! -d "$folder" ] || exit 0
rm -rf "$folder.part"
trap 'rm -rf "$folder.part"' EXIT
mkdir "$folder.part"
printf %s "$project" > "$folder.part/pom.xml"
mvn --batch-mode --quiet --file "$folder.part/pom.xml" ${copy} -DincludeScope=runtime -DoutputDirectory="$folder.part/jars"
mv "$folder.part" "$folder"
`;

/** The folder with the jars. */
async function jars(version: string, tell: Tell): Promise<string> {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "threatbus", "services");
  const folder = join(cache, `kafka-${version}`);
  if (!existsSync(folder)) {
    await requireMaven(tell);
    tell(`downloading Kafka ${version}`);
    await mkdir(cache, { recursive: true });
    const env = { ...process.env, folder, project: project(version) };
    await run("flock", [cache, "sh", "-c", script], { env, timeout: patience, maxBuffer: 64 * 1024 * 1024 }).catch((thrown: unknown) => {
      throw new Unavailable(`Kafka ${version} is not here, and Maven cannot download it: ${quoted(thrown, /(?<=^\[ERROR\] ).*?(?=$| -> \[Help)/m)}`);
    });
  }
  return join(folder, "jars");
}

async function requireMaven(tell: Tell): Promise<void> {
  const found = await run("mvn", ["--version"]).then(() => true, () => false);
  if (!found) await installDebian({ title: "Maven, which downloads Kafka,", packages: ["maven"] }, tell);
}

function project(version: string): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>threatbus</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${version}</version>
      <exclusions>
        <!-- Named by the pom of 4.4.0 and published nowhere. -->
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;
}
