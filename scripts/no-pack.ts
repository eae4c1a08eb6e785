/** What `npm pack` in the checkout runs first: its manifest names what the bundle does not need. */
process.stderr.write('Use `npm run package`: it makes the package of the bundle.\n');
process.exitCode = 1;
