import type { Topic } from "./contract.ts";
import type { ActiveSubscription } from "./subscription.ts";

/** Topics whose routes are kept; beyond it they are worked out anew. Types of objects come from outside. */
const most = 1_000;

interface Route {
  readonly subscriptions: readonly ActiveSubscription[];
  /** Those that make publishers wait. */
  readonly blocking: readonly ActiveSubscription[];
  /** One of the bus's own topics: snapshot requests and envelopes. */
  readonly control: boolean;
}

/** Says which subscriptions a topic matches: those with a topic it starts with. Each once. */
export class Router {
  readonly #subscriptions = new Set<ActiveSubscription>();
  readonly #routes = new Map<Topic, Route>();

  add(subscription: ActiveSubscription): void {
    this.#subscriptions.add(subscription);
    this.#routes.clear();
  }

  delete(subscription: ActiveSubscription): void {
    this.#subscriptions.delete(subscription);
    this.#routes.clear();
  }

  route(topic: Topic): Route {
    return this.#routes.get(topic) ?? this.#work(topic);
  }

  #work(topic: Topic): Route {
    const subscriptions = [...this.#subscriptions].filter((subscription) => subscription.topics.some((wanted) => matches(wanted, topic)));
    const route = { subscriptions, blocking: subscriptions.filter((subscription) => subscription.blocking), control: topic.startsWith("threatbus/") };
    if (this.#routes.size >= most) this.#routes.clear();
    this.#routes.set(topic, route);
    return route;
  }
}

/** Whether a subscription to `wanted` gets `topic`. The bus's own topics must be named: `""` is all content. */
export function matches(wanted: Topic, topic: Topic): boolean {
  return topic.startsWith(wanted) && (wanted.startsWith("threatbus") || !topic.startsWith("threatbus/"));
}
