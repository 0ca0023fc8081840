import js from '@eslint/js';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import ts from 'typescript-eslint';

// lib <- components <- features/<one folder each> <- app: a file imports only from what stands left of it.
const layer = (files, forbidden) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: [{ regex: forbidden, message: 'Imports point one way: see README.md' }] }],
  },
});

export default ts.config(
  { ignores: ['dist', 'test-results', 'playwright-report', 'src/lib/api-types.ts'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  jsxA11y.flatConfigs.strict,
  reactHooks.configs.flat.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.audioWorklet } } },
  layer(['src/lib/**'], '/(components|features|app)/'),
  layer(['src/components/**'], '/(features|app)/'),
  layer(['src/features/**'], '/app/|^\\.\\./[^.]'),
  { files: ['**/*.{ts,tsx}'], rules: { '@typescript-eslint/consistent-type-imports': 'error' } },
);
