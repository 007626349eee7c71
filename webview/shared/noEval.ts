import * as z from 'zod';

// The page's CSP forbids eval, which zod would try for its compiled parsers. Import this module before any that makes a schema.
z.config({ jitless: true });
