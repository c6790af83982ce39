use super::xml::Document;

/// Where the objects go that the integration reads; deployed, a comment does nothing.
const OBJECTS: &str = "\
    This set lets its user in, and shows no record. What the integration reads is added here or in Setup,
    object by object, for example:

    <objectPermissions>
        <allowCreate>false</allowCreate>
        <allowDelete>false</allowDelete>
        <allowEdit>false</allowEdit>
        <allowRead>true</allowRead>
        <modifyAllRecords>false</modifyAllRecords>
        <object>Account</object>
        <viewAllRecords>false</viewAllRecords>
    </objectPermissions>

    viewAllRecords is needed only where sharing hides rows that the integration must see.
    The set names no licence: one that is tied to a licence cannot pre-authorize an app.";

/// The least that can mint and call: API Enabled. Says nothing about records.
pub(super) fn permission_set(label: &str) -> String {
    Document::new("PermissionSet")
        .comment(OBJECTS)
        .text("description", "Pre-authorizes its users for the app of the same name, and lets them use the API. Made by sfmint.")
        .flag("hasActivationRequired", false)
        .text("label", label)
        .group("userPermissions", &[("enabled", "true"), ("name", "ApiEnabled")])
        .write()
}
