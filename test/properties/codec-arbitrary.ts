import fc from 'fast-check';
import * as t from 'io-ts';

/** Values of branded strings, which a codec can only check. */
export type BrandArbitraries = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/**
 * Anything that a codec takes, in the form in which it comes back from JSON, with every optional field there or absent. So a field
 * that is added to a codec is in the properties at once. Throws for a kind of codec, and for a brand, that it does not know.
 */
export const arbitraryOf = <C extends t.Mixed>(codec: C, brands: BrandArbitraries): fc.Arbitrary<t.TypeOf<C>> =>
  anyOf(codec, brands).filter((value): value is t.TypeOf<C> => codec.is(value));

const anyOf = (codec: t.Mixed, brands: BrandArbitraries): fc.Arbitrary<unknown> => {
  const inner = (part: t.Mixed): fc.Arbitrary<unknown> => anyOf(part, brands);
  const objectOf = (props: t.Props, requiredKeys?: never[]) =>
    fc.record(Object.fromEntries(Object.entries(props).map(([name, part]) => [name, inner(part)])), {
      noNullPrototype: true,
      ...(requiredKeys === undefined ? {} : { requiredKeys }),
    });
  if (codec instanceof t.RefinementType) {
    const brand = brands[codec.name];
    if (brand === undefined) throw new Error(`no values are known for the brand ${codec.name}: add it to the brands`);
    return brand;
  }
  if (codec instanceof t.ReadonlyType || codec instanceof t.ExactType) return inner(codec.type);
  if (codec instanceof t.StringType) return fc.string();
  if (codec instanceof t.NumberType) return fc.integer();
  if (codec instanceof t.BooleanType) return fc.boolean();
  if (codec instanceof t.LiteralType) return fc.constant(codec.value);
  if (codec instanceof t.UnionType) return fc.oneof(...codec.types.map(inner));
  if (codec instanceof t.InterfaceType) return objectOf(codec.props);
  if (codec instanceof t.PartialType) return objectOf(codec.props, []);
  if (codec instanceof t.IntersectionType)
    return fc.tuple(...codec.types.map(inner)).map((parts) => Object.assign({}, ...parts));
  throw new Error(`no values are known for the codec ${codec.name}`);
};
