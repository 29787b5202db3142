export function packagesInstalled(root: string): boolean;
export function installPackages(root: string): boolean;
