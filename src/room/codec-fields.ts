import * as t from 'io-ts';

/** Fields of an object with their codecs, in the order in which its codec names them. Throws for a codec that is no object's. */
export const fieldsOf = (codec: t.Mixed): readonly (readonly [name: string, codec: t.Mixed])[] => {
  if (codec instanceof t.ReadonlyType) return fieldsOf(codec.type);
  if (codec instanceof t.IntersectionType) return codec.types.flatMap(fieldsOf);
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) return Object.entries(codec.props);
  throw new TypeError(`the fields of ${codec.name} are not known: it is no codec of an object`);
};
