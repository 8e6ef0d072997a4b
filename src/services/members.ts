import type { CachedSchema } from '../attio/cached-schema.ts';
import type { Member } from '../attio/types.ts';
import type { Clock } from '../domain/clock.ts';
import { nearest } from '../domain/nearest.ts';
import { askAttio } from './attio-errors.ts';
import { refusedMember } from './errors.ts';
import { Pace } from './pace.ts';

/** Somebody who is not known may be new: the members are asked for anew at most this often. */
const ASK_AGAIN_MS = 5_000;

/** The people who work in the workspace, by e-mail address or id. */
export class MembersService {
  readonly #schema: Schema;
  readonly #again: Pace;
  #known: { readonly members: readonly Member[]; readonly emails: ReadonlyMap<string, string> } | null = null;

  constructor(deps: { schema: Schema; clock: Clock }) {
    this.#schema = deps.schema;
    this.#again = new Pace(deps.clock, ASK_AGAIN_MS);
  }

  /**
   * @param path of the member of the request at fault, a JSON pointer
   * @throws ServiceError `refused` when the workspace has nobody with this address, or has suspended them; `unavailable`
   */
  async idOf(email: string, path: string): Promise<string> {
    const found = (await this.#find(email)) ?? (await this.#findAgain(email));
    if (found !== undefined && found.access_level !== 'suspended') return memberIdOf(found);
    const message = found === undefined ? await this.#unknown(email) : 'is a member who is suspended';
    throw refusedMember(path, message);
  }

  /**
   * E-mail addresses by member id, as far as they are known, whatever their age. Never waits for Attio, which is asked
   * behind the answer when they are old, and seldom when it refuses.
   */
  async emailsById(): Promise<ReadonlyMap<string, string>> {
    return this.#emailsOf(await this.#schema.membersSoFar());
  }

  /** The same from memory. Never asks Attio. */
  knownEmails(): ReadonlyMap<string, string> {
    const members = this.#schema.knownMembers();
    return members.length === 0 && this.#known !== null ? this.#known.emails : this.#emailsOf(members);
  }

  #emailsOf(members: readonly Member[]): ReadonlyMap<string, string> {
    if (this.#known?.members !== members) this.#known = { members, emails: emailsOf(members) };
    return this.#known.emails;
  }

  /** Somebody has joined, or may have. */
  changed(): void {
    this.#schema.expireMembers();
  }

  async #find(email: string): Promise<Member | undefined> {
    const members = await this.#members();
    return members.find((member) => member.email_address.toLowerCase() === email.toLowerCase());
  }

  async #findAgain(email: string): Promise<Member | undefined> {
    if (!this.#again.isDue()) return undefined;
    this.#schema.expireMembers();
    return this.#find(email);
  }

  async #unknown(email: string): Promise<string> {
    const members = await this.#members();
    const active = members.filter((member) => member.access_level !== 'suspended');
    const meant = nearest(
      email,
      active.map((member) => member.email_address),
    );
    const hint = meant === null ? '' : `; did you mean ${meant}?`;
    return `is the address of no member of the workspace${hint}`;
  }

  async #members(): Promise<readonly Member[]> {
    return askAttio(() => this.#schema.members(), { wanted: "The workspace's members" });
  }
}

type Schema = Pick<CachedSchema, 'members' | 'membersSoFar' | 'knownMembers' | 'expireMembers'>;

function emailsOf(members: readonly Member[]): ReadonlyMap<string, string> {
  return new Map(members.map((member) => [memberIdOf(member), member.email_address.toLowerCase()]));
}

function memberIdOf(member: Member): string {
  return member.id.workspace_member_id.toLowerCase();
}
