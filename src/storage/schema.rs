//! The tables as diesel sees them; `migrations/` says what the columns mean.

diesel::table! { installation (id) { id -> BigInt, pepper_check -> Binary, is_demo -> Bool, created_at -> BigInt, } }
diesel::table! {
    nodes (id) {
        id -> Text,
        name -> Text,
        came_at -> BigInt,
        first_epoch -> BigInt,
        seen_at -> BigInt,
        epoch -> BigInt,
    }
}
diesel::table! {
    mails (id) {
        id -> BigInt,
        sealed -> Binary,
        request_id -> Text,
        created_at -> BigInt,
        next_at -> BigInt,
        tries -> BigInt,
    }
}
diesel::table! {
    users (id) {
        id -> BigInt,
        name -> Text,
        search -> Text,
        email -> Text,
        email_folded -> Text,
        password_hash -> Text,
        language -> Nullable<Text>,
        time_zone -> Text,
        theme -> Text,
        session_generation -> BigInt,
        is_installation_admin -> Bool,
        blocked_at -> Nullable<BigInt>,
        created_at -> BigInt,
        has_shortcuts -> Bool,
    }
}
diesel::table! {
    password_links (code_hash) {
        code_hash -> Binary,
        user_id -> BigInt,
        made_by -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}
diesel::table! {
    email_changes (user_id) {
        user_id -> BigInt,
        email -> Text,
        code_hash -> Binary,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}
diesel::table! {
    organizations (id) {
        id -> BigInt,
        public_id -> Text,
        slug -> Text,
        name -> Text,
        created_at -> BigInt,
        own_permissions -> Text,
    }
}
diesel::table! { organization_slugs (slug) { slug -> Text, organization_id -> BigInt, } }
diesel::table! {
    permission_sets (id) {
        id -> BigInt,
        organization_id -> BigInt,
        built_in -> Nullable<Text>,
        name -> Text,
        permissions -> Text,
        version -> BigInt,
    }
}
diesel::table! {
    kinds (id) {
        id -> BigInt,
        organization_id -> BigInt,
        key -> Text,
        singular -> Text,
        plural -> Text,
        created_at -> BigInt,
        version -> BigInt,
    }
}
diesel::table! {
    kind_actions (kind_id, position) {
        kind_id -> BigInt,
        position -> SmallInt,
        key -> Text,
        name -> Text,
        reads -> Bool,
    }
}
diesel::table! {
    memberships (id) {
        id -> BigInt,
        user_id -> BigInt,
        organization_id -> BigInt,
        permission_set_id -> BigInt,
        search -> Text,
        is_active -> Bool,
        created_at -> BigInt,
        seen_at -> Nullable<BigInt>,
        removed_at -> Nullable<BigInt>,
        external_id -> Nullable<Text>,
    }
}
diesel::table! {
    seats (id) {
        id -> BigInt,
        organization_id -> BigInt,
        membership_id -> BigInt,
        began_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}
diesel::table! {
    invitations (id) {
        id -> BigInt,
        organization_id -> BigInt,
        permission_set_id -> BigInt,
        email -> Text,
        email_folded -> Text,
        search -> Text,
        code_hash -> Binary,
        invited_by -> BigInt,
        invited_by_name -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}
diesel::table! {
    groups (id) {
        id -> BigInt,
        public_id -> Text,
        organization_id -> BigInt,
        name -> Text,
        name_folded -> Text,
        search -> Text,
        created_at -> BigInt,
        version -> BigInt,
    }
}
diesel::table! {
    group_members (group_id, membership_id) { group_id -> BigInt, membership_id -> BigInt, added_at -> BigInt, }
}
diesel::table! {
    sites (id) {
        id -> BigInt,
        public_id -> Text,
        organization_id -> BigInt,
        parent_id -> Nullable<BigInt>,
        level -> SmallInt,
        name -> Text,
        name_folded -> Text,
        search -> Text,
        created_at -> BigInt,
        version -> BigInt,
    }
}
diesel::table! { site_ancestors (site_id, ancestor_id) { site_id -> BigInt, ancestor_id -> BigInt, } }
diesel::table! {
    site_members (site_id, membership_id) { site_id -> BigInt, membership_id -> BigInt, added_at -> BigInt, }
}
diesel::table! {
    sessions (key_hash) {
        key_hash -> Binary,
        public_id -> Text,
        user_id -> BigInt,
        generation -> BigInt,
        organization_id -> Nullable<BigInt>,
        started_at -> BigInt,
        seen_at -> BigInt,
        proved_at -> BigInt,
        address -> Text,
        program -> Text,
    }
}
diesel::table! {
    service_users (id) {
        id -> BigInt,
        public_id -> Text,
        organization_id -> BigInt,
        name -> Text,
        permissions -> Text,
        created_at -> BigInt,
        created_by -> BigInt,
        created_by_name -> Text,
        version -> BigInt,
        external_id -> Nullable<Text>,
    }
}
diesel::table! {
    api_tokens (id) {
        id -> BigInt,
        public_id -> Text,
        kind -> Text,
        organization_id -> BigInt,
        membership_id -> Nullable<BigInt>,
        user_id -> Nullable<BigInt>,
        service_user_id -> Nullable<BigInt>,
        label -> Text,
        search -> Text,
        scope -> Text,
        digest -> Binary,
        pepper_version -> SmallInt,
        form_nonce -> Text,
        created_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        revoked_by -> Nullable<Text>,
        revoked_by_name -> Nullable<Text>,
        revocation_reason -> Nullable<Text>,
        expired_at -> Nullable<BigInt>,
        ends_at -> Nullable<BigInt>,
        quiet_seconds -> Nullable<BigInt>,
        slot -> Nullable<SmallInt>,
    }
}
diesel::table! {
    token_uses (token_id) {
        token_id -> BigInt,
        organization_id -> BigInt,
        kind -> Text,
        state -> Text,
        inactivity_days -> SmallInt,
        idle_since -> BigInt,
        address -> Nullable<Text>,
        program -> Nullable<Text>,
        refused_count -> BigInt,
        refused_at -> Nullable<BigInt>,
        refused_address -> Nullable<Text>,
        refused_program -> Nullable<Text>,
    }
}
diesel::table! { token_calls (token_id, day) { token_id -> BigInt, day -> BigInt, calls -> BigInt, } }
diesel::table! {
    auth_epoch (id) {
        id -> BigInt,
        epoch -> BigInt,
        freshness_ms -> BigInt,
        longest_freshness_ms -> BigInt,
        freshness_version -> BigInt,
        mark -> BigInt,
    }
}
diesel::table! {
    auth_changes (epoch) {
        epoch -> BigInt,
        digests -> Binary,
        mark -> BigInt,
        affects_all -> Bool,
        affected -> Text,
    }
}
diesel::table! {
    revocations (token_id) {
        token_id -> BigInt,
        public_id -> Text,
        label -> Text,
        organization_id -> BigInt,
        user_id -> Nullable<BigInt>,
        is_old_key -> Bool,
        epoch -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
    }
}
diesel::table! {
    revocation_nodes (token_id, node_id) {
        token_id -> BigInt,
        node_id -> Text,
        node_name -> Text,
        epoch -> BigInt,
        refuses_since -> BigInt,
        last_accepted_at -> Nullable<BigInt>,
    }
}
diesel::table! {
    protected_apis (id) {
        id -> BigInt,
        public_id -> Text,
        organization_id -> BigInt,
        name -> Text,
        address -> Text,
        lets_preflights -> Bool,
        created_at -> BigInt,
        version -> BigInt,
    }
}
diesel::table! {
    protected_api_rules (protected_api_id, position) {
        protected_api_id -> BigInt,
        position -> SmallInt,
        methods -> Text,
        path -> Text,
        needs -> Text,
        permission -> Nullable<Text>,
        item_kind -> Nullable<Text>,
    }
}
diesel::table! {
    items (id) {
        id -> BigInt,
        public_id -> Text,
        organization_id -> BigInt,
        kind -> Text,
        external_id -> Nullable<Text>,
        name -> Text,
        search -> Text,
        owner_membership_id -> Nullable<BigInt>,
        owner_service_user_id -> Nullable<BigInt>,
        site_id -> Nullable<BigInt>,
        template_id -> Nullable<BigInt>,
        archived_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> BigInt,
        modified_at -> BigInt,
    }
}
diesel::table! {
    item_contents (item_id) { item_id -> BigInt, description -> Text, form -> Text, answers -> Text, }
}
diesel::table! {
    item_counts (organization_id, kind, state, site_id) {
        organization_id -> BigInt,
        kind -> Text,
        state -> BigInt,
        site_id -> BigInt,
        count -> BigInt,
    }
}
diesel::table! {
    kept_answers (token_id, key_digest) {
        token_id -> BigInt,
        key_digest -> Binary,
        request_digest -> Binary,
        status -> BigInt,
        location -> Text,
        etag -> Text,
        body -> Text,
        created_at -> BigInt,
    }
}
diesel::table! {
    shares (id) {
        id -> BigInt,
        public_id -> Text,
        item_id -> BigInt,
        recipient_kind -> Text,
        recipient_id -> BigInt,
        outside_organization_id -> Nullable<BigInt>,
        level -> Text,
        created_at -> BigInt,
        created_by_name -> Text,
    }
}
diesel::table! {
    access_rules (id) {
        id -> BigInt,
        public_id -> Text,
        organization_id -> BigInt,
        kind -> Text,
        site_id -> Nullable<BigInt>,
        template_id -> Nullable<BigInt>,
        recipient_kind -> Text,
        recipient_id -> BigInt,
        outside_organization_id -> Nullable<BigInt>,
        level -> Text,
        created_at -> BigInt,
        created_by_name -> Text,
        version -> BigInt,
    }
}
diesel::table! {
    refused_organizations (organization_id, refused_id) {
        organization_id -> BigInt,
        refused_id -> BigInt,
        created_at -> BigInt,
    }
}
diesel::table! {
    kind_forms (organization_id, kind) { organization_id -> BigInt, kind -> Text, form -> Text, version -> BigInt, }
}
diesel::table! {
    activity (id) {
        id -> BigInt,
        organization_id -> Nullable<BigInt>,
        position -> BigInt,
        hash -> Binary,
        at -> BigInt,
        action -> Text,
        actor_user_id -> Nullable<BigInt>,
        actor_name -> Text,
        target_user_id -> Nullable<BigInt>,
        target_name -> Nullable<Text>,
        token_public_id -> Nullable<Text>,
        token_label -> Nullable<Text>,
        detail -> Nullable<Text>,
        count -> BigInt,
        address -> Text,
        program -> Text,
        request_id -> Text,
    }
}
diesel::table! { activity_heads (organization_id) { organization_id -> BigInt, position -> BigInt, hash -> Binary, } }

diesel::joinable!(permission_sets -> organizations (organization_id));
diesel::joinable!(memberships -> users (user_id));
diesel::joinable!(memberships -> organizations (organization_id));
diesel::joinable!(memberships -> permission_sets (permission_set_id));
diesel::joinable!(invitations -> organizations (organization_id));
diesel::joinable!(invitations -> permission_sets (permission_set_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(seats -> memberships (membership_id));
diesel::joinable!(service_users -> organizations (organization_id));
diesel::joinable!(api_tokens -> memberships (membership_id));
diesel::joinable!(api_tokens -> service_users (service_user_id));
diesel::joinable!(token_uses -> api_tokens (token_id));
diesel::allow_tables_to_appear_in_same_query!(
    users,
    organizations,
    permission_sets,
    memberships,
    invitations,
    seats,
    sessions,
    service_users,
    api_tokens,
    token_uses,
    groups,
    group_members,
    sites,
    site_ancestors,
    site_members,
);
diesel::joinable!(protected_api_rules -> protected_apis (protected_api_id));
diesel::allow_tables_to_appear_in_same_query!(protected_apis, protected_api_rules);
diesel::joinable!(kind_actions -> kinds (kind_id));
diesel::allow_tables_to_appear_in_same_query!(kinds, kind_actions);
diesel::allow_tables_to_appear_in_same_query!(revocations, api_tokens);
diesel::joinable!(group_members -> groups (group_id));
diesel::joinable!(shares -> items (item_id));
diesel::allow_tables_to_appear_in_same_query!(items, shares);

diesel::table! {
    /// Only backups have this table. It is written last, so a file without it is not a backup, or an incomplete one.
    jeton_backup (made_at) {
        made_at -> Text,
        version -> Text,
        pepper -> Nullable<Text>,
    }
}
