-- There is a new permission, platform.verify_tokens. Whoever held every permission before holds every one now: those are the
-- administrators, and nobody grants what they do not hold.
UPDATE permission_sets SET permissions = 'platform.users platform.groups platform.sites platform.permission_sets platform.integrations platform.activity platform.billing platform.verify_tokens templates.view templates.edit templates.delete templates.share inspections.view inspections.conduct inspections.delete inspections.share assets.view assets.edit assets.delete assets.share'
WHERE permissions = 'platform.users platform.groups platform.sites platform.permission_sets platform.integrations platform.activity platform.billing templates.view templates.edit templates.delete templates.share inspections.view inspections.conduct inspections.delete inspections.share assets.view assets.edit assets.delete assets.share';
UPDATE auth_epoch SET epoch = epoch + 1;
