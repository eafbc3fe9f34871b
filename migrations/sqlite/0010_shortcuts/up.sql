-- Whether single keys do something in lists (WCAG 2.1.4).
ALTER TABLE users ADD COLUMN has_shortcuts BOOLEAN NOT NULL DEFAULT TRUE;
