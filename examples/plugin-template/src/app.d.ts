import type { App, Host } from "@threatbus/core";
import type { TemplateOptions } from "./options.ts";
/** All state lives in here, none in the module: one process may run this twice. */
export declare function createTemplate(options: TemplateOptions, host: Host): App;
