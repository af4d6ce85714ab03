/* drain -e ENDPOINT -n COUNT [-s FIRST] [-i IDLE_MS] [-b] PREFIX…
 *
 * One subscriber per prefix, each expecting COUNT indicators numbered from FIRST on. Prints "ready" when all are connected (-b: bound),
 * and one line of JSON when all have everything or nothing came for IDLE_MS. */
#include "frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { SUBSCRIBERS = 64, BATCH = 256, FRAME = 65536 };

struct subscriber {
  uint64_t received;
  uint64_t missing;    /* skipped numbers, less those that came late */
  uint64_t unexpected; /* late, twice, of another run, or unreadable */
  uint64_t next;
  double first, last;
};

static void count_one(struct subscriber *s, int64_t sequence) {
  s->received++;
  if (sequence >= (int64_t)s->next) {
    s->missing += (uint64_t)sequence - s->next;
    s->next = (uint64_t)sequence + 1;
  } else {
    s->unexpected++;
  }
}

/* Takes what waits, up to a batch, so that no subscriber starves another. */
static int take(void *socket, struct subscriber *s) {
  static char frame[FRAME];
  int taken = 0;
  while (taken < BATCH) {
    int length = zmq_recv(socket, frame, sizeof frame, ZMQ_DONTWAIT);
    if (length < 0) break;
    count_one(s, frames_sequence(frame, (size_t)length < sizeof frame ? (size_t)length : sizeof frame));
    taken++;
  }
  if (taken > 0) {
    s->last = seconds_now();
    if (s->first == 0) s->first = s->last;
  }
  return taken;
}

int main(int argc, char **argv) {
  const char *endpoint = NULL;
  uint64_t count = 0, first = 0;
  long idle = 2000;
  int bind = 0;
  for (int flag; (flag = getopt(argc, argv, "e:n:s:i:b")) != -1;) {
    if (flag == 'e') endpoint = optarg;
    else if (flag == 'n') count = strtoull(optarg, NULL, 10);
    else if (flag == 's') first = strtoull(optarg, NULL, 10);
    else if (flag == 'i') idle = atol(optarg);
    else if (flag == 'b') bind = 1;
    else return 2;
  }
  int subscribers = argc - optind;
  must(endpoint != NULL && count > 0 && subscribers > 0 && subscribers <= SUBSCRIBERS && (!bind || subscribers == 1),
       "usage: drain -e ENDPOINT -n COUNT [-s FIRST] [-i IDLE_MS] [-b] PREFIX...");

  void *context = zmq_ctx_new();
  struct subscriber subscriber[SUBSCRIBERS];
  zmq_pollitem_t item[SUBSCRIBERS];
  memset(subscriber, 0, sizeof subscriber);
  for (int i = 0; i < subscribers; i++) {
    const char *prefix = argv[optind + i];
    void *socket = zmq_socket(context, ZMQ_SUB);
    int high_water = 100000, none = 0;
    zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water, sizeof high_water);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    must(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, prefix, strlen(prefix)) == 0, "subscribe");
    must((bind ? zmq_bind(socket, endpoint) : zmq_connect(socket, endpoint)) == 0, endpoint);
    item[i] = (zmq_pollitem_t){socket, 0, ZMQ_POLLIN, 0};
    subscriber[i].next = first;
  }
  puts("ready");
  fflush(stdout);

  /* The first message may take its time: the load starts after "ready". */
  long patience = idle > 30000 ? idle : 30000;
  for (int done = 0; done < subscribers;) {
    if (zmq_poll(item, subscribers, patience) <= 0) break;
    done = 0;
    for (int i = 0; i < subscribers; i++) {
      if (item[i].revents != 0 && take(item[i].socket, &subscriber[i]) > 0) patience = idle;
      if (subscriber[i].next >= first + count) done++;
    }
  }

  double start = 0, end = 0;
  uint64_t received = 0, lost = 0, unexpected = 0;
  for (int i = 0; i < subscribers; i++) {
    struct subscriber *s = &subscriber[i];
    received += s->received;
    unexpected += s->unexpected;
    lost += s->missing + (s->next < first + count ? first + count - s->next : 0);
    if (s->first != 0 && (start == 0 || s->first < start)) start = s->first;
    if (s->last > end) end = s->last;
    zmq_close(item[i].socket);
  }
  printf("{\"received\":%llu,\"lost\":%llu,\"unexpected\":%llu,\"seconds\":%.6f,\"cpu\":%.3f}\n", (unsigned long long)received,
         (unsigned long long)lost, (unsigned long long)unexpected, end - start, seconds_used());
  zmq_ctx_term(context);
  return 0;
}
