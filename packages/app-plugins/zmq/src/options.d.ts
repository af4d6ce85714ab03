import { z } from "zod";
export declare const options: z.ZodObject<{
    host: z.ZodDefault<z.ZodString>;
    manage: z.ZodDefault<z.ZodNumber>;
    pub: z.ZodDefault<z.ZodNumber>;
    sub: z.ZodDefault<z.ZodNumber>;
    queue: z.ZodPrefault<z.ZodObject<{
        max_items: z.ZodOptional<z.ZodNumber>;
        max_bytes: z.ZodOptional<z.ZodNumber>;
        overflow: z.ZodOptional<z.ZodEnum<{
            drop_oldest: "drop_oldest";
            drop_newest: "drop_newest";
            conflate: "conflate";
            block: "block";
            disconnect: "disconnect";
        }>>;
    }, z.core.$strict>>;
    max_subscriptions: z.ZodDefault<z.ZodNumber>;
    max_message_size: z.ZodDefault<z.ZodNumber>;
    attach_timeout: z.ZodDefault<z.ZodNumber>;
    grace: z.ZodDefault<z.ZodNumber>;
    heartbeat_timeout: z.ZodDefault<z.ZodNumber>;
    curve: z.ZodOptional<z.ZodObject<{
        secret_key_file: z.ZodString;
        authorized_keys_file: z.ZodString;
    }, z.core.$strict>>;
}, z.core.$strict>;
export type ZmqOptions = z.output<typeof options>;
