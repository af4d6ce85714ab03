#define _GNU_SOURCE
#include "frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <zmq.h>

enum { DIGITS = 12, TEMPLATES = 64, MARKS = 64 };

struct template {
  char *text;
  size_t length;
  size_t marks;
  struct {
    size_t at;
    int digit; /* 0 is the last one */
  } mark[MARKS];
};

struct frames {
  size_t count;
  struct template template[TEMPLATES];
};

static const char id_start[] = "\"indicator--";
enum { ID_START = sizeof id_start - 1, DIGITS_IN_ID = ID_START + 24 };

static void find_marks(struct template *t) {
  int digit = 0;
  for (size_t at = t->length; at-- > 0;) {
    if (t->text[at] == '"') digit = 0;
    if (t->text[at] != '@') continue;
    must(digit < DIGITS && t->marks < MARKS, "a template has too many marks");
    t->mark[t->marks].at = at;
    t->mark[t->marks].digit = digit++;
    t->marks++;
  }
}

struct frames *frames_load(const char *path, const char *topic) {
  FILE *file = fopen(path, "r");
  must(file != NULL, path);
  struct frames *frames = calloc(1, sizeof *frames);
  must(frames != NULL, "out of memory");
  char *line = NULL;
  size_t room = 0;
  ssize_t read;
  while ((read = getline(&line, &room, file)) > 0 && frames->count < TEMPLATES) {
    struct template *t = &frames->template[frames->count++];
    int length = asprintf(&t->text, "%s %.*s", topic, (int)strcspn(line, "\n"), line);
    must(length > 0, "out of memory");
    t->length = (size_t)length;
    find_marks(t);
  }
  free(line);
  fclose(file);
  must(frames->count > 0, "no templates");
  return frames;
}

const char *frames_make(struct frames *frames, uint64_t sequence, size_t *length) {
  char digits[DIGITS];
  uint64_t rest = sequence;
  for (int i = 0; i < DIGITS; i++, rest /= 10) digits[i] = (char)('0' + rest % 10);
  struct template *t = &frames->template[sequence % frames->count];
  for (size_t i = 0; i < t->marks; i++) t->text[t->mark[i].at] = digits[t->mark[i].digit];
  *length = t->length;
  return t->text;
}

int64_t frames_sequence(const char *data, size_t length) {
  /* Most frames carry their id where the one before did. */
  static size_t guess;
  if (guess + DIGITS_IN_ID + DIGITS > length || memcmp(data + guess, id_start, ID_START) != 0) {
    const char *found = memmem(data, length, id_start, ID_START);
    if (found == NULL || (size_t)(found - data) + DIGITS_IN_ID + DIGITS > length) return -1;
    guess = (size_t)(found - data);
  }
  int64_t sequence = 0;
  const char *digit = data + guess + DIGITS_IN_ID;
  for (int i = 0; i < DIGITS; i++, digit++) {
    if (*digit < '0' || *digit > '9') return -1;
    sequence = sequence * 10 + (*digit - '0');
  }
  return sequence;
}

double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double seconds_used(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void must(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(2);
}
