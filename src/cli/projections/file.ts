/** A projection's file: its name is the file's, without `.js`. */
export interface ProjectionFile {
  readonly name: string;
  readonly text: string;
}
