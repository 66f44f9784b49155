import * as t from 'io-ts';

/** A JSON Schema, draft 2020-12. */
export type Schema = { readonly [keyword: string]: unknown };

/** What JSON Schema must be told of a branded string, since its codec is a function. */
export type Brands = Readonly<Record<string, Schema>>;

/** The codec as a schema; brands and named unions become `$defs`, gathered in `defs`. Throws for a kind of codec it does not know. */
export const schemaOf = (codec: t.Any, brands: Brands, defs: Map<string, Schema>): Schema => {
  const inner = (part: t.Any): Schema => schemaOf(part, brands, defs);
  const defined = (name: string, make: () => Schema): Schema => {
    if (!defs.has(name)) defs.set(name, make());
    return { $ref: `#/$defs/${name}` };
  };
  if (codec instanceof t.StringType) return { type: 'string' };
  if (codec instanceof t.NumberType) return { type: 'number' };
  if (codec instanceof t.BooleanType) return { type: 'boolean' };
  if (codec instanceof t.LiteralType) return { const: codec.value };
  if (codec instanceof t.ExactType) return inner(codec.type);
  if (codec instanceof t.RefinementType) {
    const brand = brands[codec.name];
    if (brand === undefined) throw new Error(`no schema is known for the brand ${codec.name}: add it to the brands`);
    return defined(codec.name, () => brand);
  }
  if (codec instanceof t.InterfaceType) return objectOf(codec.props, true, inner);
  if (codec instanceof t.PartialType) return objectOf(codec.props, false, inner);
  if (codec instanceof t.IntersectionType) return merged(codec.types.map(inner));
  if (codec instanceof t.UnionType) {
    const types: readonly t.Any[] = codec.types;
    if (types.every((type) => type instanceof t.LiteralType)) return { enum: types.map(({ value }) => value) };
    const union = (): Schema => ({ anyOf: types.map(inner) });
    return /^\w+$/.test(codec.name) ? defined(codec.name, union) : union();
  }
  throw new Error(`no schema is known for the codec ${codec.name}`);
};

// Not closed with `additionalProperties`: a codec does not look at what it does not know, and so must no other reader.
const objectOf = (props: t.Props, required: boolean, inner: (codec: t.Any) => Schema): Schema => ({
  type: 'object',
  ...(required ? { required: Object.keys(props) } : {}),
  properties: Object.fromEntries(Object.entries(props).map(([name, codec]) => [name, inner(codec)])),
});

/** An intersection of objects as one object. */
const merged = (objects: readonly Schema[]): Schema => {
  const wrong = objects.find(({ type }) => type !== 'object');
  if (wrong !== undefined) throw new Error(`an intersection of other than objects: ${JSON.stringify(wrong)}`);
  return {
    type: 'object',
    required: objects.flatMap(({ required }) => (Array.isArray(required) ? required : [])),
    properties: Object.assign({}, ...objects.map(({ properties }) => properties)),
  };
};
