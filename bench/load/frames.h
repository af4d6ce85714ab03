/* Indicators made from templates, one a line, whose marks (@) take the digits of a sequence number: within one JSON
 * string from the right, so that every message has an id and a pattern of its own. */
#ifndef THREATBUS_BENCH_FRAMES_H
#define THREATBUS_BENCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct frames;

/* Reads the templates and puts `topic` and a space before each. Ends the program with a message if it cannot. */
struct frames *frames_load(const char *path, const char *topic);

/* The frame of a sequence number; valid until the next call. */
const char *frames_make(struct frames *frames, uint64_t sequence, size_t *length);

/* The sequence number that a received frame carries in its id; -1 if there is none. */
int64_t frames_sequence(const char *data, size_t length);

/* Monotonic seconds. */
double seconds_now(void);

/* Seconds of processor time this process has used. */
double seconds_used(void);

/* Ends the program with a message if `ok` is false. */
void must(int ok, const char *what);

#endif
