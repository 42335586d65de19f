// The one header that an application includes.
#pragma once

#include <trunkline/manager/trunk_manager.hpp>
#include <trunkline/trunk/agent.hpp>
#include <trunkline/trunk/call.hpp>
#include <trunkline/trunk/config.hpp>
#include <trunkline/trunk/dialling_guard.hpp>
