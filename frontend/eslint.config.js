import js from '@eslint/js';
import query from '@tanstack/eslint-plugin-query';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import ts from 'typescript-eslint';

// lib <- components <- features/<one folder each> <- app: files import only from layers to their left.
const layer = (files, forbidden) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: [{ regex: forbidden, message: 'Imports point one way: see README.md' }] }],
  },
});

// Visible and spoken texts come from src/lib/i18n/words, so that they exist in every language.
const TEXT_ATTRIBUTES =
  'label|title|alt|placeholder|description|aria-label|aria-roledescription|aria-valuetext|dismissLabel|thumbLabel|nothingFoundMessage';
const LETTERS = '/\\p{L}{2}/u';
const message = 'Texts belong in src/lib/i18n/words, in every language.';
const textsInJsx = [
  `JSXText[value=${LETTERS}]`,
  `JSXElement > JSXExpressionContainer Literal[value=${LETTERS}]:not(JSXAttribute Literal, CallExpression Literal, BinaryExpression > Literal)`,
  `JSXElement > JSXExpressionContainer TemplateElement[value.raw=${LETTERS}]:not(JSXAttribute TemplateElement)`,
  `JSXAttribute[name.name=/^(${TEXT_ATTRIBUTES})$/] Literal[value=${LETTERS}]:not(BinaryExpression > Literal)`,
  `JSXAttribute[name.name=/^(${TEXT_ATTRIBUTES})$/] TemplateElement[value.raw=${LETTERS}]`,
];
// Outside JSX most strings are identifiers, but letters after a value and a space are a unit or a sentence.
const unit = { selector: 'TemplateElement[value.raw=/^ \\p{L}/u]', message };

export default ts.config(
  { ignores: ['dist', 'test-results', 'playwright-report', 'src/lib/api/api-types.ts'] },
  js.configs.recommended,
  ...ts.configs.recommendedTypeChecked,
  jsxA11y.flatConfigs.strict,
  reactHooks.configs.flat.recommended,
  ...query.configs['flat/recommended'],
  {
    languageOptions: {
      globals: { ...globals.browser, ...globals.audioWorklet, ...globals.serviceworker },
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
  },
  { files: ['**/*.js'], ...ts.configs.disableTypeChecked },
  layer(['src/lib/**'], '/(components|features|app)/'),
  layer(['src/components/**'], '/(features|app)/'),
  layer(['src/features/**'], '/app/|^\\.\\./[^.]'),
  {
    files: ['src/**/*.tsx'],
    ignores: ['**/*.test.tsx'],
    rules: { 'no-restricted-syntax': ['error', ...textsInJsx.map((selector) => ({ selector, message })), unit] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['**/*.test.ts', 'src/lib/i18n/words/**'],
    rules: { 'no-restricted-syntax': ['error', unit] },
  },
  { files: ['**/*.{ts,tsx}'], rules: { '@typescript-eslint/consistent-type-imports': 'error' } },
  {
    // mock and JSON data are not worth typing, and mocked methods need no `this`
    files: ['e2e/**', 'tests/**', '**/*.test.{ts,tsx}'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
