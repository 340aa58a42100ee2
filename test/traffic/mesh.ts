import { type Member, type Service, startService } from './service.ts';
import { startCounting, type Tally } from './tally.ts';

/** Services that call each other all the time, whoever comes and goes. */
export interface Mesh {
  /** Starts a service, and has the others call it as soon as it can be called. */
  join(member: Member): Promise<Service>;
  /** Has nobody call it any more, and stops it when it has nothing left to do: no call is lost by that alone. */
  part(service: Service): Promise<void>;
  /** From now on this is where the CA is. Resolves when everybody knows. */
  follow(authority: string): Promise<void>;
  /** Names what goes on from now, for the tally of what was lost. */
  during(phase: string): void;
  /** Of all calls since the last time. */
  take(): Tally;
  /** Stops everybody in order. */
  close(): Promise<Tally>;
}

const callsPerSecond = 10;

/** @param authority the address of the CA */
export function startMesh(program: string, authority: string): Mesh {
  const counter = startCounting();
  const members = new Set<Service>();
  const joining = new Set<Promise<unknown>>();
  let ca = authority;
  let revision = 0;
  let turn: Promise<unknown> = Promise.resolve();

  /** One change of the neighbourhood at a time: nobody is stopped who is just being told of another. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };
  /** As with Dapr, one does not call oneself. */
  const neighbourhoodOf = (id: string) => ({
    revision,
    authority: ca,
    peers: [...members].map(({ peer }) => peer).filter((peer) => peer.id !== id),
  });
  const announce = async (listeners: Iterable<Service>): Promise<void> => {
    revision++;
    await Promise.all([...listeners].map((service) => service.tell(neighbourhoodOf(service.peer.id))));
  };

  return {
    join: async (member) => {
      const { id } = member;
      const neighbourhood = neighbourhoodOf(id);
      const born = startService(program, { ...member, neighbourhood, callsPerSecond, onCall: counter.count });
      joining.add(born);
      const service = await born.finally(() => joining.delete(born));
      await inTurn(async () => {
        members.add(service);
        await announce(members);
      });
      return service;
    },
    part: (service) =>
      inTurn(async () => {
        members.delete(service);
        await announce(members);
        await service.stop();
      }),
    follow: (address) =>
      inTurn(async () => {
        ca = address;
        // Who is being born knows the old one alone, which must not go before.
        await Promise.allSettled([...joining]);
        await announce(members);
      }),
    during: counter.during,
    take: counter.take,
    close: () =>
      inTurn(async () => {
        const last = [...members];
        members.clear();
        // Nobody is left to call: each waits for the calls that it has under way.
        await announce(last);
        await Promise.all(last.map((service) => service.stop()));
        return counter.take();
      }),
  };
}
