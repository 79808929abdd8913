//! 区域: the tree county → town → village or community → group, grid, estate; with its history.
//!
//! Always true: the code is the key, names are not (城西村 exists twice); an area is never deleted: one that was merged
//! away keeps its row with the day it ended and its successor, and everything that happened there stays there.
//! Tables owned: `areas`. Events recorded: none; the tree comes from outside.
pub mod commands;
mod http;
pub mod queries;
mod rows;
mod rules;

pub use self::{
    commands::{Imported, import, import_embedded, import_file},
    http::routes,
    queries::{Area, AreaName, AreaView, find, get, name, names, path_names},
    rules::{AreaRow, Level, TOWN_CODE, VILLAGE_CODE, ancestors, common, parse},
};
