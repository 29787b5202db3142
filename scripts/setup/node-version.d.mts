export function oldNode(root: string, version?: string): string | undefined;
