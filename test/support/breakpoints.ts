/**
 * Breakpoints in a messenger's connections, for races that must be told step by step: set one, wait until
 * somebody stands there, change what is to be changed, and let it go on, fail or stop.
 *
 *      const points = new Breakpoints();
 *      messenger.interceptor = points.interceptor;
 *      points.breakpoint(InterceptStep.SendClientIdentity);
 *      const subject = await points.wait(InterceptStep.SendClientIdentity);
 *      points.proceed(InterceptStep.SendClientIdentity, 'continue');
 *
 * A breakpoint holds everybody who comes to its step until `proceed`, which removes it. Every step that is
 * passed is counted, held or not.
 */
import type {
  InterceptAction,
  Interceptor,
  InterceptStep,
  InterceptSubject,
} from '../../src/messenger/interceptor.ts';
import { withTimeout } from './timeout.ts';

interface Held {
  readonly subject: InterceptSubject;
  readonly step: InterceptStep;
  readonly go: (action: InterceptAction) => void;
}

interface Waiting {
  readonly step: InterceptStep;
  readonly subject: InterceptSubject | undefined;
  readonly resolve: (subject: InterceptSubject) => void;
}

export class Breakpoints {
  readonly #breakpoints = new Set<InterceptStep>();
  readonly #held: Held[] = [];
  readonly #waiting = new Set<Waiting>();
  readonly #passed: { readonly subject: InterceptSubject; readonly step: InterceptStep }[] = [];

  readonly interceptor: Interceptor = (subject, step) => {
    this.#passed.push({ subject, step });
    if (!this.#breakpoints.has(step)) return 'continue';
    return new Promise((resolve) => {
      this.#held.push({ subject, step, go: resolve });
      for (const waiting of this.#waiting) {
        if (waiting.step !== step) continue;
        if (waiting.subject === undefined || waiting.subject === subject) waiting.resolve(subject);
      }
    });
  };

  breakpoint(step: InterceptStep): void {
    this.#breakpoints.add(step);
  }

  /** Resolves with who is held at the step: the first, or exactly `subject`. */
  async wait(step: InterceptStep, subject?: object): Promise<InterceptSubject> {
    const held = this.#held.find(
      (other) => other.step === step && (subject === undefined || other.subject === subject),
    );
    if (held !== undefined) return held.subject;
    let waiting: Waiting | undefined;
    try {
      const reached = new Promise<InterceptSubject>((resolve) => {
        waiting = { step, subject: subject as InterceptSubject | undefined, resolve };
        this.#waiting.add(waiting);
      });
      return await withTimeout(reached, 10_000, `somebody at step ${step}`);
    } finally {
      this.#waiting.delete(waiting!);
    }
  }

  /** Removes the breakpoint and releases everybody who is held at it. */
  proceed(step: InterceptStep, action: InterceptAction): void {
    this.#breakpoints.delete(step);
    const released = this.#held.filter((held) => held.step === step);
    for (const held of released) {
      this.#held.splice(this.#held.indexOf(held), 1);
      held.go(action);
    }
  }

  /** How often `subject` came to the step; everybody when absent. */
  countStep(subject: object | undefined, step: InterceptStep): number {
    return this.#passed.filter(
      (passed) => passed.step === step && (subject === undefined || passed.subject === subject),
    ).length;
  }
}
