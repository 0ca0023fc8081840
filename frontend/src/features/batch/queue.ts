/** Analyses many files, a few at a time; files can be cancelled and retried. Files of one speaker are analysed together,
 * one speaker after another, with a temporary speaker profile. */
import { asApiError, profileRefused, tooLarge, type ApiError, type Limits, type Prediction } from '../../lib/api';
import { FEWEST_RECORDINGS, groupOf, suggestedAdaptation, TemporaryProfile, type Adaptation, type ProfileRequests } from './adaptation';
import { whileBusy } from './busy';

export type State = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

export interface Item {
  id: number;
  /** Relative to the dropped folder. */
  path: string;
  file: File;
  state: State;
  /** The group it was last analysed with, see `groupOf`. */
  group?: string | null;
  prediction?: Prediction;
  error?: ApiError;
}

export interface Requests {
  model?: string;
  predict: (file: File, signal: AbortSignal, speaker?: string) => Promise<Prediction>;
  /** Undefined if the model supports no speaker profiles. */
  profiles?: ProfileRequests;
}

export interface Settings {
  limits?: Limits;
  /** By default, the one suggested for the files. */
  adaptation?: Adaptation;
}

/** How the adaptation to speakers is going. */
export interface AdaptationStatus {
  /** The group whose profile is being created. */
  preparing: string | null;
  /** Groups that were analysed without a profile, and why. */
  unadapted: readonly { group: string; error: ApiError }[];
  /** Names of temporary profiles that could not be deleted. */
  undeleted: readonly string[];
}

/** A speaker whose files are being analysed. */
interface Group {
  key: string;
  /** Name of the model that the profile is for. */
  model?: string;
  profile?: TemporaryProfile;
  /** Name of the profile once it exists. */
  speaker?: string;
  ready: boolean;
}

const AT_ONCE = 3;
const NO_STATUS: AdaptationStatus = { preparing: null, unadapted: [], undeleted: [] };

const asWaiting = (item: Item): Item => ({ ...item, state: 'waiting', prediction: undefined, error: undefined });

export class Queue {
  private items: Item[] = [];
  private status = NO_STATUS;
  private group: Group | null = null;
  private readonly profiles = new Set<TemporaryProfile>();
  private readonly running = new Map<number, AbortController>();
  private readonly listeners = new Set<() => void>();
  private lastId = 0;

  private requests?: Requests;
  private settings: Settings = {};

  /** Sets how files are analysed that start from now on; until the first call, files wait. */
  configure(requests: Requests, settings: Settings = {}): void {
    this.requests = requests;
    this.settings = settings;
    this.change(this.items);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The items; a new array after every change. */
  snapshot = (): readonly Item[] => this.items;

  /** A new object after every change. */
  adaptationStatus = (): AdaptationStatus => this.status;

  add(files: { file: File; path: string }[]): void {
    this.change([...this.items, ...files.map(({ file, path }): Item => ({ id: (this.lastId += 1), file, path, state: 'waiting' }))]);
  }

  cancel(id: number): void {
    this.running.get(id)?.abort();
    this.update(id, (item) => (item.state === 'waiting' || item.state === 'running' ? { ...item, state: 'cancelled' } : item));
  }

  cancelAll(): void {
    this.running.forEach((controller) => controller.abort());
    this.change(this.items.map((item) => (item.state === 'waiting' || item.state === 'running' ? { ...item, state: 'cancelled' } : item)));
  }

  retry(id: number): void {
    this.update(id, asWaiting);
  }

  /** Retries all failed and cancelled files. */
  retryAll(): void {
    this.change(this.items.map((item) => (item.state === 'failed' || item.state === 'cancelled' ? asWaiting(item) : item)));
  }

  /** Analyses these files again; their results are dropped. */
  repeat(ids: ReadonlySet<number>): void {
    this.change(this.items.map((item) => (ids.has(item.id) ? asWaiting(item) : item)));
  }

  clear(): void {
    this.cancelAll();
    this.status = NO_STATUS;
    this.change([]);
  }

  /** Deletes the temporary profiles without waiting, because the page is being closed. */
  abandon(): void {
    this.profiles.forEach((profile) => profile.abandon());
  }

  private update(id: number, change: (item: Item) => Item): void {
    this.change(this.items.map((item) => (item.id === id ? change(item) : item)));
  }

  private change(items: Item[]): void {
    this.items = items;
    while (this.requests && this.running.size < AT_ONCE) {
      const next = this.next(this.requests);
      if (!next) break;
      this.run(next, this.requests);
    }
    this.listeners.forEach((listener) => listener());
  }

  /** The next file to start: of the current group while it has any, then of the next one. */
  private next(requests: Requests): Item | undefined {
    const waits = ({ id, state }: Item) => state === 'waiting' && !this.running.has(id);
    const keyOf = this.grouping(requests);
    const { group } = this;
    if (group) {
      const next = this.items.find((item) => waits(item) && keyOf(item) === group.key);
      if (next && requests.model === group.model) return group.ready ? next : undefined;
      if (this.running.size) return undefined;
      this.close(group);
    }
    const first = this.items.find(waits);
    const key = first ? keyOf(first) : null;
    if (key === null) return first;
    this.open(key, requests);
    return this.next(requests);
  }

  private grouping({ profiles }: Requests): (item: Item) => string | null {
    const chosen = this.settings.adaptation ?? suggestedAdaptation(this.items.map(({ path }) => path));
    return ({ path }) => groupOf(path, profiles ? chosen : 'off');
  }

  /** Starts a group: creates the profile of its speaker; without one, its files are analysed by themselves. */
  private open(key: string, requests: Requests): void {
    const keyOf = this.grouping(requests);
    const usable = this.items.filter((item) => item.state !== 'failed' && item.state !== 'cancelled' && keyOf(item) === key);
    const enough = requests.profiles && usable.length >= FEWEST_RECORDINGS;
    const profile = enough ? new TemporaryProfile(requests.profiles!) : undefined;
    const group: Group = { key, model: requests.model, profile, ready: !profile };
    this.group = group;
    if (!profile) return;
    this.profiles.add(profile);
    this.status = { ...this.status, preparing: key, unadapted: this.status.unadapted.filter((one) => one.group !== key) };
    const files = usable.map(({ file }) => file);
    void profile.make(files, this.settings.limits).then(
      () => this.start(group, profile.name),
      (error: unknown) => this.start(group, undefined, asApiError(error)),
    );
  }

  /** Starts the files of a group, with the profile or, after an error, without. */
  private start(group: Group, speaker?: string, error?: ApiError): void {
    if (this.group !== group) return; // cancelled
    this.status = { ...this.status, preparing: null };
    if (error) this.reportUnadapted(group, error);
    group.speaker = speaker;
    group.ready = true;
    this.change(this.items);
  }

  private reportUnadapted({ key }: Group, error: ApiError): void {
    this.status = { ...this.status, unadapted: [...this.status.unadapted, { group: key, error }] };
  }

  /** Ends a group: deletes its profile. */
  private close({ key, profile }: Group): void {
    this.group = null;
    if (this.status.preparing === key) this.status = { ...this.status, preparing: null };
    if (!profile) return;
    void profile
      .discard()
      .catch(() => (this.status = { ...this.status, undeleted: [...this.status.undeleted, profile.name] }))
      .then(() => {
        this.profiles.delete(profile);
        this.change(this.items);
      });
  }

  private run({ id, file }: Item, requests: Requests): void {
    const controller = new AbortController();
    const { group } = this;
    this.running.set(id, controller);
    this.items = this.items.map((item) => (item.id === id ? { ...item, state: 'running', group: group?.key ?? null } : item));
    void this.requestAdapted(file, controller.signal, requests, group)
      .then(
        (prediction): Partial<Item> => ({ state: 'done', prediction }),
        (error: unknown): Partial<Item> => ({ state: 'failed', error: asApiError(error) }),
      )
      .then((outcome) => {
        this.running.delete(id);
        this.update(id, (item) => (item.state === 'running' ? { ...item, ...outcome } : item));
      });
  }

  /** Requests a prediction with the group's profile, or without it once it was deleted elsewhere. */
  private async requestAdapted(file: File, signal: AbortSignal, requests: Requests, group: Group | null): Promise<Prediction> {
    const speaker = group?.speaker;
    try {
      return await this.request(file, signal, requests, speaker);
    } catch (thrown) {
      const error = asApiError(thrown);
      if (!speaker || !profileRefused(error)) throw error;
      if (group.speaker) this.reportUnadapted(group, error);
      group.speaker = undefined;
      return this.request(file, signal, requests);
    }
  }

  private async request(file: File, signal: AbortSignal, { predict }: Requests, speaker?: string): Promise<Prediction> {
    const refusal = this.settings.limits && tooLarge(file, this.settings.limits);
    if (refusal) throw refusal;
    return whileBusy(() => predict(file, signal, speaker), signal);
  }
}
