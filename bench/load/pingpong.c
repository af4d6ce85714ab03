/* pingpong -o TO -e FROM -n COUNT -t TEMPLATES [-w WARMUP] [-s FIRST] PREFIX
 *
 * One indicator in flight at a time: sends it to TO, waits for it at FROM, and so on. Prints one line of JSON: quantiles of the time
 * from send to arrival, in microseconds. */
#include "frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { FRAME = 65536 };

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sends one number and waits for it. Returns the microseconds, or a negative number if it did not come within the socket's time-out. */
static double round_trip(void *out, void *in, struct frames *frames, uint64_t sequence) {
  static char answer[FRAME];
  size_t length;
  const char *frame = frames_make(frames, sequence, &length);
  double start = seconds_now();
  must(zmq_send(out, frame, length, 0) >= 0, "send");
  for (;;) {
    int got = zmq_recv(in, answer, sizeof answer, 0);
    if (got < 0) return -1;
    if (frames_sequence(answer, (size_t)got < sizeof answer ? (size_t)got : sizeof answer) == (int64_t)sequence)
      return (seconds_now() - start) * 1e6;
  }
}

int main(int argc, char **argv) {
  const char *to = NULL, *from = NULL, *templates = NULL;
  uint64_t count = 0, warmup = 1000, first = 0;
  for (int flag; (flag = getopt(argc, argv, "o:e:n:t:w:s:")) != -1;) {
    if (flag == 'o') to = optarg;
    else if (flag == 'e') from = optarg;
    else if (flag == 'n') count = strtoull(optarg, NULL, 10);
    else if (flag == 't') templates = optarg;
    else if (flag == 'w') warmup = strtoull(optarg, NULL, 10);
    else if (flag == 's') first = strtoull(optarg, NULL, 10);
    else return 2;
  }
  must(to != NULL && from != NULL && templates != NULL && count > 0 && argc - optind == 1,
       "usage: pingpong -o TO -e FROM -n COUNT -t TEMPLATES [-w WARMUP] [-s FIRST] PREFIX");
  struct frames *frames = frames_load(templates, "stix2/indicator");

  void *context = zmq_ctx_new();
  void *in = zmq_socket(context, ZMQ_SUB), *out = zmq_socket(context, ZMQ_PUB);
  int patience = 500, none = 0, retry = 10;
  zmq_setsockopt(in, ZMQ_RCVTIMEO, &patience, sizeof patience);
  zmq_setsockopt(in, ZMQ_LINGER, &none, sizeof none);
  zmq_setsockopt(out, ZMQ_LINGER, &none, sizeof none);
  zmq_setsockopt(out, ZMQ_RECONNECT_IVL, &retry, sizeof retry);
  zmq_setsockopt(in, ZMQ_SUBSCRIBE, argv[optind], strlen(argv[optind]));
  must(zmq_connect(in, from) == 0, from);
  must(zmq_connect(out, to) == 0, to);

  /* Until both connections stand, messages are lost: keep asking. */
  int tries = 0;
  while (round_trip(out, in, frames, first++) < 0) must(++tries < 60, "nothing came back");
  for (uint64_t i = 0; i < warmup; i++) round_trip(out, in, frames, first++);

  double *took = calloc(count, sizeof *took);
  must(took != NULL, "out of memory");
  uint64_t lost = 0, got = 0;
  for (uint64_t i = 0; i < count; i++) {
    double us = round_trip(out, in, frames, first++);
    if (us < 0) lost++;
    else took[got++] = us;
  }
  must(got > 0, "nothing came back");
  qsort(took, got, sizeof *took, ascending);
  printf("{\"count\":%llu,\"lost\":%llu,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}\n", (unsigned long long)got, (unsigned long long)lost,
         took[got / 2], took[got * 99 / 100], took[got - 1]);
  zmq_close(in);
  zmq_close(out);
  zmq_ctx_term(context);
  return 0;
}
