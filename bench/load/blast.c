/* blast -e ENDPOINT -n COUNT -t TEMPLATES [-r PER_SECOND] [-s FIRST] [-p TOPIC] [-b]
 *
 * Connects a publisher (-b: binds it), waits until someone subscribed to the topic, and sends. A full pipe makes it wait, so the receiver sets the
 * pace and nothing is lost here. Prints one line of JSON. */
#include "frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

static void wait_for_subscriber(void *socket, const char *topic) {
  for (;;) {
    char frame[256];
    int length = zmq_recv(socket, frame, sizeof frame, 0);
    must(length > 0, "no subscriber");
    size_t prefix = (size_t)length - 1;
    if (frame[0] == 1 && prefix <= strlen(topic) && memcmp(frame + 1, topic, prefix) == 0) return;
  }
}

static void wait_until(double when) {
  double left = when - seconds_now();
  if (left <= 0) return;
  struct timespec pause = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
  nanosleep(&pause, NULL);
}

int main(int argc, char **argv) {
  const char *endpoint = NULL, *templates = NULL, *topic = "stix2/indicator";
  uint64_t count = 0, first = 0;
  double rate = 0;
  int bind = 0;
  for (int flag; (flag = getopt(argc, argv, "e:n:t:r:s:p:b")) != -1;) {
    if (flag == 'e') endpoint = optarg;
    else if (flag == 'n') count = strtoull(optarg, NULL, 10);
    else if (flag == 't') templates = optarg;
    else if (flag == 'r') rate = atof(optarg);
    else if (flag == 's') first = strtoull(optarg, NULL, 10);
    else if (flag == 'p') topic = optarg;
    else if (flag == 'b') bind = 1;
    else return 2;
  }
  must(endpoint != NULL && templates != NULL && count > 0, "usage: blast -e ENDPOINT -n COUNT -t TEMPLATES [-r RATE] [-s FIRST] [-p TOPIC] [-b]");
  struct frames *frames = frames_load(templates, topic);

  void *context = zmq_ctx_new();
  void *socket = zmq_socket(context, ZMQ_XPUB);
  int high_water = 10000, wait = 1, patience = 30000, retry = 10;
  zmq_setsockopt(socket, ZMQ_SNDHWM, &high_water, sizeof high_water);
  zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &wait, sizeof wait);
  zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience, sizeof patience);
  zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
  zmq_setsockopt(socket, ZMQ_LINGER, &patience, sizeof patience);
  zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &retry, sizeof retry);
  must((bind ? zmq_bind(socket, endpoint) : zmq_connect(socket, endpoint)) == 0, endpoint);
  wait_for_subscriber(socket, topic);

  /* A sleep takes some 60 microseconds at least. */
  uint64_t burst = rate > 20000 ? (uint64_t)(rate / 20000) + 1 : 1;
  double start = seconds_now();
  for (uint64_t i = 0; i < count; i++) {
    if (rate > 0 && i % burst == 0) wait_until(start + (double)i / rate);
    size_t length;
    const char *frame = frames_make(frames, first + i, &length);
    must(zmq_send(socket, frame, length, 0) >= 0, "send");
  }
  zmq_close(socket);
  zmq_ctx_term(context);
  double took = seconds_now() - start;
  printf("{\"sent\":%llu,\"seconds\":%.6f,\"cpu\":%.3f}\n", (unsigned long long)count, took, seconds_used());
  return 0;
}
