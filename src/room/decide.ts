/** What the configuration says about rooms. */
export interface Policy {
  /** `create_on_join`: a `#join` of a missing room makes it. */
  readonly createOnJoin: boolean;
  /** `check_on_create`: a `#create` of an existing room is refused 409. */
  readonly checkOnCreate: boolean;
}
